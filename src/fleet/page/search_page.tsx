// A search in what the stream keeps, as a page: how far it has come and what it has found. While it
// runs the page asks for itself again; that works without a script.
import { AlertRows } from "../../server/page/alert_rows.tsx";
import { Document, type Frame } from "../../server/page/document.tsx";
import { count, many, shown } from "../../server/page/shown.ts";
import { SEARCH_BOUNDS, type SearchEnd, type SearchProgress } from "../read/stream_search.ts";
import { fleetRow } from "./alerts_page.tsx";
import { FilterForm, filtersOf } from "./filter_form.tsx";

export interface FleetSearchProps {
  readonly frame: Frame;
  /** Empty: nothing was asked for yet. */
  readonly query: URLSearchParams;
  readonly nowMs: number;
  readonly progress: SearchProgress | undefined;
  readonly error: string | undefined;
}

const PATH = "/page/search";
const AGAIN_S = 1;

const ENDS: Readonly<Record<SearchEnd, string>> = {
  all: "All that the stream keeps was searched.",
  found: `It stopped at ${SEARCH_BOUNDS.found} alerts.`,
  messages: `It stopped at a million alerts that were searched.`,
  time: `It stopped after ${SEARCH_BOUNDS.ms / 1000} seconds.`,
  stopped: "It was stopped.",
  failed: "It failed.",
};

export function FleetSearch({ frame, query, nowMs, progress, error }: FleetSearchProps) {
  const isRunning = progress !== undefined && progress.end === undefined;
  return (
    <Document
      title="Search"
      frame={frame}
      assets={frame.assets}
      here={PATH}
      {...(isRunning ? { goTo: `${PATH}?${query}`, goToS: AGAIN_S } : {})}
    >
      <div class="head">
        <h1>Search</h1>
        <p class="note">In all alerts that the stream keeps, the newest first. Times are UTC.</p>
      </div>
      <FilterForm query={query} action={PATH} word="Search" nowMs={nowMs}>
        <a class="button" href={`/page/alerts?${filtersOf(query)}`}>Only those that are held</a>
      </FilterForm>
      {error === undefined ? null : <p class="panel trouble" role="alert">{shown(error)}</p>}
      {progress === undefined ? null : <Found query={query} progress={progress} />}
    </Document>
  );
}

function Found({ query, progress }: {
  readonly query: URLSearchParams;
  readonly progress: SearchProgress;
}) {
  const { end, reason, found, before, unreadable } = progress;
  const to = (more: Readonly<Record<string, string>>) =>
    `${PATH}?${new URLSearchParams([...query, ...Object.entries(more)])}`;
  const on = filtersOf(query);
  if (before !== undefined) on.set("before", `${before}`);
  return (
    <section class="panel" aria-label="Alerts">
      <p class="row" role="status">
        <span>{`${wayText(progress)}, ${count(found.length)} found.`}</span>
        {end === undefined
          ? <a class="button" href={to({ stop: "1" })}>Stop</a>
          : <span class="note">{ENDS[end]}</span>}
      </p>
      {reason === undefined ? null : <p class="trouble" role="alert">{`NATS: ${shown(reason)}`}</p>}
      {query.get("to")
        ? <p class="note">Not those that came to the stream more than an hour after that time.</p>
        : null}
      {unreadable > 0
        ? <p class="note">{`${many(unreadable, "message")} were no alert of a host.`}</p>
        : null}
      <AlertRows rows={found.map(fleetRow)} live="" keeps={0}>
        {end === undefined ? "None so far." : "None is like that."}
      </AlertRows>
      {end === undefined ? null : (
        <p class="row">
          {before === undefined
            ? null
            : <a class="button" rel="next" href={`${PATH}?${on}`}>Go on with older ones</a>}
          <a class="button" href={to({ again: "1" })}>Search again</a>
        </p>
      )}
    </section>
  );
}

/** `120 of 5,000 alerts searched, back to 2026-01-31 22:15:07`. */
function wayText({ read, total, reachedMs }: SearchProgress): string {
  const of = total === undefined ? "" : ` of ${count(Math.max(read, total))}`;
  const back = reachedMs === undefined
    ? ""
    : `, back to ${new Date(reachedMs).toISOString().slice(0, 19).replace("T", " ")}`;
  return `${count(read)}${of} alerts searched${back}`;
}
