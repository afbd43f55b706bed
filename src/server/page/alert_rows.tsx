// Alerts as a list of links, the newest first: rows come in as data, as the live stream and the
// script have them too; the script fills a copy of the template that stands behind the list.
import type { Child } from "hono/jsx";
import { alertId } from "../../alerts/format/format.ts";
import { isoTimeUtc } from "../../alerts/format/time.ts";
import type { Alert } from "../../engine/contract/alert.ts";
import { PRIORITY_NAMES } from "../../rules/priority.ts";
import { clockOf, many, short } from "./shown.ts";

export interface AlertRow {
  readonly id: string;
  /** ISO 8601, UTC. */
  readonly time: string;
  /** The same as the list shows it. */
  readonly when: string;
  /** Its number, 0 the most severe, and its word. */
  readonly level: number;
  readonly priority: string;
  readonly rule: string;
  readonly message: string;
  /** `12 times` where the alert stands for several, else "". */
  readonly times: string;
}

export function rowOf(alert: Alert): AlertRow {
  const { rule, message, repeats, priority } = alert;
  const time = isoTimeUtc(alert.time);
  return {
    id: alertId(alert),
    time,
    when: `${time.slice(5, 10)} ${clockOf(time)}`,
    level: priority,
    priority: PRIORITY_NAMES[priority] ?? "",
    rule: short(rule, 200),
    message: short(message),
    times: repeats === undefined ? "" : many(repeats.count, "time"),
  };
}

export interface AlertRowsProps {
  readonly rows: readonly AlertRow[];
  /** Where newer ones come from. */
  readonly live: string;
  /** Rows that the list keeps as newer ones come in. */
  readonly keeps: number;
  /** What is said where there are none. */
  readonly children?: Child;
}

export function AlertRows({ rows, live, keeps, children }: AlertRowsProps) {
  return (
    <>
      <p class="row note" data-live-says hidden>
        <span role="status" data-live-status></span>
        <button type="button" data-live-show hidden></button>
      </p>
      <p class="empty" data-empty hidden={rows.length > 0}>{children}</p>
      <div data-lists>
        <ol class="alerts" data-live={live} data-keeps={keeps}>
          {rows.map((row) => <Row row={row} />)}
        </ol>
      </div>
      <template data-row>
        <Row row={NO_ROW} />
      </template>
    </>
  );
}

const NO_ROW: AlertRow = {
  id: "",
  time: "",
  when: "",
  level: 6,
  priority: "",
  rule: "",
  message: "",
  times: "",
};

function Row({ row }: { readonly row: AlertRow }) {
  return (
    <li>
      <a href={alertPath(row.id)}>
        <time datetime={row.time}>{row.when}</time>
        <span class="priority" data-priority={row.level}>{row.priority}</span>
        <span class="rule">
          <strong class="value-text">{row.rule}</strong> <span class="times">{row.times}</span>
        </span>
        <span class="message">{row.message}</span>
      </a>
    </li>
  );
}

export function alertPath(id: string): string {
  return `/page/alerts/${encodeURIComponent(id)}`;
}
