// A page about one alert whose answer has to be worked out: what was asked of, and the answer, that
// it is still to come, or why there is none.
import type { Child } from "hono/jsx";
import type { Alert } from "../../engine/contract/alert.ts";
import { alertPath, rowOf } from "./alert_rows.tsx";
import { Document, type Frame } from "./document.tsx";
import { short, shown } from "./shown.ts";

export interface AskedPageProps {
  readonly frame: Frame;
  readonly alert: Alert;
  readonly title: string;
  readonly heading: string;
  /** The page's own path behind the alert's. */
  readonly place: string;
  /** What is said while the answer is to come; undefined once it is there. */
  readonly pending: string | undefined;
  /** Above why there is none, and why. */
  readonly trouble: { readonly heading: string; readonly text: string } | undefined;
  readonly children: Child;
}

export function AskedPage(props: AskedPageProps) {
  const { frame, alert, title, heading, place, pending, trouble, children } = props;
  const path = alertPath(rowOf(alert).id);
  return (
    <Document
      title={title}
      frame={frame}
      assets={frame.assets}
      here="/page/alerts"
      {...(pending === undefined ? {} : { goTo: `${path}/${place}`, goToS: 1 })}
    >
      <p class="note">
        <a href="/page/alerts">Alerts</a> / <a href={path}>This alert</a>
      </p>
      <h1>{heading}</h1>
      <section class="panel" aria-label="The alert">
        <p>
          <strong class="value-text">{shown(alert.rule)}</strong>
        </p>
        <pre class="mono">{short(alert.message, 4000)}</pre>
      </section>
      {pending !== undefined
        ? <p class="panel" role="status">{pending} This page looks again by itself.</p>
        : trouble !== undefined
        ? (
          <section class="panel trouble" role="alert">
            <h2>{trouble.heading}</h2>
            <p class="value-text">{trouble.text}</p>
          </section>
        )
        : children}
    </Document>
  );
}
