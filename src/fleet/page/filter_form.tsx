// What alerts of all hosts may be filtered and searched by, as a form.
import type { Child } from "hono/jsx";
import { PRIORITY_NAMES } from "../../rules/priority.ts";

const FILTERS = ["host", "rule", "priority", "search", "from", "to"] as const;

/** Of a query those parameters that filter. */
export function filtersOf(query: URLSearchParams): URLSearchParams {
  const filters = new URLSearchParams();
  for (const name of FILTERS) if (query.get(name)) filters.set(name, query.get(name)!);
  return filters;
}

export interface FilterFormProps {
  readonly query: URLSearchParams;
  readonly action: string;
  /** What its button says. */
  readonly word: string;
  readonly nowMs: number;
  /** Behind the button. */
  readonly children?: Child;
}

/** Times that are asked for most, back from now. */
const RANGES = [["last hour", 3_600_000], ["last day", 86_400_000], [
  "last week",
  7 * 86_400_000,
]] as const;

export function FilterForm({ query, action, word, nowMs, children }: FilterFormProps) {
  const given = (name: typeof FILTERS[number]) => query.get(name) ?? "";
  return (
    <form class="panel filters" method="get" action={action} role="search">
      <label>
        Search in all fields
        <input
          type="search"
          name="search"
          value={given("search")}
          maxlength={200}
          autocomplete="off"
          aria-keyshortcuts="/"
        />
      </label>
      <label>
        Host
        <input name="host" value={given("host")} maxlength={260} autocomplete="off" />
      </label>
      <label>
        Rule
        <input name="rule" value={given("rule")} maxlength={200} autocomplete="off" />
      </label>
      <label>
        At least
        <select name="priority">
          <option value="">any priority</option>
          {PRIORITY_NAMES.map((name) => (
            <option value={name} selected={name === given("priority")}>{name}</option>
          ))}
        </select>
      </label>
      <Time name="from" label="From (UTC)" value={given("from")} />
      <Time name="to" label="To (UTC)" value={given("to")} />
      <div class="row">
        <button type="submit" class="primary">{word}</button>
        {children}
      </div>
      <p class="row note">
        {RANGES.map(([name, ms]) => (
          <a href={`${action}?${rangeOf(query, nowMs - ms)}`}>{`The ${name}`}</a>
        ))}
      </p>
    </form>
  );
}

/** To the minute, so that the same search is found again for a while. */
function rangeOf(query: URLSearchParams, fromMs: number): URLSearchParams {
  const filters = filtersOf(query);
  filters.set("from", new Date(fromMs).toISOString().slice(0, 16));
  filters.delete("to");
  return filters;
}

function Time({ name, label, value }: {
  readonly name: string;
  readonly label: string;
  readonly value: string;
}) {
  return (
    <label>
      {label}
      <input
        name={name}
        value={value}
        maxlength={40}
        placeholder="2026-01-31T22:15"
        autocomplete="off"
      />
    </label>
  );
}
