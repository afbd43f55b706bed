// Alerts of all hosts as pages: a list that newer ones come into, and one alert with its fields.
import { valueJson } from "../../alerts/format/format.ts";
import type { Alert } from "../../engine/contract/alert.ts";
import { AlertDocument } from "../../server/page/alert_document.tsx";
import { type AlertRow, AlertRows, rowOf } from "../../server/page/alert_rows.tsx";
import { Document, type Frame } from "../../server/page/document.tsx";
import { fieldText, many, short, shown } from "../../server/page/shown.ts";
import { FilterForm, filtersOf } from "./filter_form.tsx";

/** As a host's own page has it, with the host beside the rule. */
export function fleetRow(alert: Alert): AlertRow {
  return { ...rowOf(alert), times: `on ${short(alert.hostname, 80)}` };
}

export interface FleetAlertsProps {
  readonly frame: Frame;
  readonly query: URLSearchParams;
  readonly nowMs: number;
  readonly rows: readonly AlertRow[];
  /** `before` of the older ones; undefined: there are none. */
  readonly next: string | undefined;
  readonly live: string;
  readonly held: number;
  readonly error: string | undefined;
}

export const ALERTS_ROWS = 100;

export function FleetAlerts(
  { frame, query, nowMs, rows, next, live, held, error }: FleetAlertsProps,
) {
  const isFirst = !query.get("before");
  const older = filtersOf(query);
  if (next !== undefined) older.set("before", next);
  return (
    <Document title="Alerts" frame={frame} assets={frame.assets} here="/page/alerts">
      <div class="head">
        <h1>Alerts</h1>
        <p class="note">{`${many(held, "alert")} of all hosts held. Times are UTC.`}</p>
      </div>
      <FilterForm query={query} action="/page/alerts" word="Filter" nowMs={nowMs}>
        <a class="button" href="/page/alerts">Clear</a>
        <a class="button" href={`/page/search?${filtersOf(query)}`}>Search the whole stream</a>
      </FilterForm>
      {error === undefined ? null : <p class="panel trouble" role="alert">{error}</p>}
      <section class="panel" aria-label="Alerts">
        <AlertRows rows={rows} live={isFirst ? live : ""} keeps={isFirst ? ALERTS_ROWS : 0}>
          None of the alerts that are held is like that.
        </AlertRows>
        {next === undefined ? null : (
          <a
            class="button"
            rel="next"
            data-older={`/page/rows?${older}`}
            href={`/page/alerts?${older}`}
          >
            Older alerts
          </a>
        )}
      </section>
    </Document>
  );
}

export interface FleetAlertProps {
  readonly frame: Frame;
  readonly alert: Alert;
}

export function FleetAlert({ frame, alert }: FleetAlertProps) {
  const fields = alert.outputFields.filter(([, value]) => value !== undefined);
  return (
    <AlertDocument
      frame={frame}
      alert={alert}
      host={
        <a
          class="value-text"
          href={`/page/alerts?${new URLSearchParams({ host: alert.hostname })}`}
        >
          {`on ${shown(alert.hostname)}`}
        </a>
      }
      remarks={alert.degraded
        ? <p class="note">Events were lost shortly before: it may be incomplete.</p>
        : null}
    >
      <section class="panel" aria-labelledby="fields">
        <h2 id="fields">Fields</h2>
        <dl class="facts">
          {fields.map(([name, value]) => (
            <>
              <dt>{shown(name)}</dt>
              <dd class="mono value-text">
                {fieldText(name, typeof value === "string" ? value : valueJson(value))}
              </dd>
            </>
          ))}
        </dl>
      </section>
      <p class="note">
        Who started whom and why the rule fired is known on the host itself: its own page has it.
      </p>
    </AlertDocument>
  );
}
