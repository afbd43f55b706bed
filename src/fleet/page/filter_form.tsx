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
  /** Behind the button. */
  readonly children?: Child;
}

export function FilterForm({ query, action, word, children }: FilterFormProps) {
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
    </form>
  );
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
