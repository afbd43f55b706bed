// The page of one alert as hosts and fleets both have it: the alert comes in, with what stands
// beside and below it, a document goes out.
import type { Child } from "hono/jsx";
import type { Alert } from "../../engine/contract/alert.ts";
import { rowOf } from "./alert_rows.tsx";
import { Document, type Frame } from "./document.tsx";
import { dayOf, short, shown } from "./shown.ts";

export interface AlertDocumentProps {
  readonly frame: Frame;
  readonly alert: Alert;
  /** The host, behind the time. */
  readonly host: Child;
  /** What is said of the alert, below its message. */
  readonly remarks: Child;
  /** Below what happened. */
  readonly children: Child;
}

export function AlertDocument({ frame, alert, host, remarks, children }: AlertDocumentProps) {
  const { time, level, priority } = rowOf(alert);
  return (
    <Document
      title={short(alert.rule, 100)}
      frame={frame}
      assets={frame.assets}
      here="/page/alerts"
    >
      <p class="note">
        <a href="/page/alerts">Alerts</a>
      </p>
      <h1 class="value-text">{shown(alert.rule)}</h1>
      <section class="panel" aria-label="What happened">
        <p class="row">
          <span class="priority" data-priority={level}>{priority}</span>
          <time datetime={time}>{`${dayOf(time)} ${time.slice(11, 23)} UTC`}</time>
          {host}
        </p>
        <pre class="mono">{shown(alert.message)}</pre>
        {remarks}
      </section>
      {children}
    </Document>
  );
}
