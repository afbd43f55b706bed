// The alerts that are held, page by page, with filters that a form without a script sends.
import { PRIORITY_NAMES } from "../../rules/priority.ts";
import { type AlertRow, AlertRows } from "./alert_rows.tsx";
import { Document, type Frame } from "./document.tsx";
import { count, many } from "./shown.ts";

/** What a reader may filter by; "" where they do not. */
export interface AlertQuery {
  readonly rule: string;
  readonly priority: string;
  readonly process: string;
  readonly container: string;
  readonly search: string;
}

export const QUERY_NAMES = ["rule", "priority", "process", "container", "search"] as const;

export interface AlertsProps {
  readonly frame: Frame;
  readonly query: AlertQuery;
  readonly rows: readonly AlertRow[];
  /** Begins behind this alert; undefined: with the newest. */
  readonly before: string | undefined;
  /** Where the next page begins; null: there is none. */
  readonly next: string | null;
  readonly held: number;
  readonly givenWay: number;
  /** Where newer ones come from. */
  readonly live: string;
  /** Names of rules, for those who type one. */
  readonly rules: readonly string[];
  /** What is wrong with the query. */
  readonly error?: string;
}

/** Rows of one page; the list grows by as many. */
export const PAGE_ROWS = 100;

export function Alerts(props: AlertsProps) {
  const { frame, query, rows, before, next, held, givenWay, live, error } = props;
  const isFiltered = QUERY_NAMES.some((name) => query[name] !== "");
  return (
    <Document title="Alerts" frame={frame} assets={frame.assets} here="/page/alerts">
      <div class="head">
        <h1>Alerts</h1>
        <p class="note">
          {`${many(held, "alert")} held`}
          {givenWay === 0 ? "" : `, ${count(givenWay)} older ones gave way`}
          {". Times are UTC."}
        </p>
      </div>
      <Filters {...props} />
      {error === undefined ? null : <p class="panel trouble" role="alert">{error}</p>}
      <section class="panel" aria-label={isFiltered ? "Alerts that were asked for" : "All alerts"}>
        {before === undefined
          ? (
            <AlertRows rows={rows} live={live} keeps={PAGE_ROWS}>
              {isFiltered
                ? "None of the alerts that are held is like that. A new one appears here at once."
                : "No alert so far. When a rule matches, its alert stands here within a second."}
            </AlertRows>
          )
          : <AlertRows rows={rows} live="" keeps={0}>There are no older ones.</AlertRows>}
        <div class="row">
          {before === undefined
            ? null
            : <a class="button" href={`/page/alerts${queryText(query)}`}>Newest alerts</a>}
          {next === null ? null : (
            <a
              class="button"
              rel="next"
              data-older={`/page/rows${queryText(query, { before: next })}`}
              href={`/page/alerts${queryText(query, { before: next })}`}
            >
              Older alerts
            </a>
          )}
        </div>
      </section>
    </Document>
  );
}

function Filters({ query, rules }: AlertsProps) {
  return (
    <form class="panel filters" method="get" action="/page/alerts" role="search">
      <label>
        Search in all fields
        <input
          type="search"
          name="search"
          value={query.search}
          maxlength={200}
          autocomplete="off"
          aria-keyshortcuts="/"
        />
      </label>
      <label>
        Rule
        <input name="rule" value={query.rule} list="rules" maxlength={200} autocomplete="off" />
        <datalist id="rules">{rules.map((rule) => <option value={rule}></option>)}</datalist>
      </label>
      <label>
        At least
        <select name="priority">
          <option value="">any priority</option>
          {PRIORITY_NAMES.map((name) => (
            <option value={name} selected={name.toLowerCase() === query.priority.toLowerCase()}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        Process
        <input name="process" value={query.process} maxlength={200} autocomplete="off" />
      </label>
      <label>
        Container
        <input name="container" value={query.container} maxlength={200} autocomplete="off" />
      </label>
      <div class="row">
        <button type="submit" class="primary">Filter</button>
        <a class="button" href="/page/alerts">Clear</a>
      </div>
    </form>
  );
}

/** The query as the end of a path; what is not filtered by is left out. */
export function queryText(query: AlertQuery, more: Readonly<Record<string, string>> = {}): string {
  const parameters = new URLSearchParams();
  for (const name of QUERY_NAMES) if (query[name] !== "") parameters.set(name, query[name]);
  for (const [name, value] of Object.entries(more)) parameters.set(name, value);
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}
