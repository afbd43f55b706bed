// One alert: what happened, who started whom, why the rule fired, all fields, the rule's text, and
// where the events around it are.
import { fieldsOf, valueJson } from "../../alerts/format/format.ts";
import { isoTimeUtc } from "../../alerts/format/time.ts";
import type { Alert } from "../../engine/contract/alert.ts";
import type { DossierJson } from "../told/answers.ts";
import { AlertDocument } from "./alert_document.tsx";
import { alertPath, rowOf } from "./alert_rows.tsx";
import type { Frame } from "./document.tsx";
import { Lineage } from "./lineage.tsx";
import { rulePath, RuleText } from "./rule_text.tsx";
import { fieldText, many, short, shown, valueText } from "./shown.ts";
import { Why } from "./why.tsx";

export interface AlertProps {
  readonly frame: Frame;
  readonly alert: Alert;
  readonly dossier: DossierJson | null;
  /** Why there is none. */
  readonly lack: string;
  /** There is something that proposes exceptions. */
  readonly canPropose: boolean;
  /** There is something that reads captures. */
  readonly canRead: boolean;
}

export function AlertPage({ frame, alert, dossier, lack, ...can }: AlertProps) {
  return (
    <AlertDocument
      frame={frame}
      alert={alert}
      host={<span class="dim value-text">{`on ${shown(alert.hostname)}`}</span>}
      remarks={
        <>
          <Remarks alert={alert} />
          <Actions alert={alert} canPropose={can.canPropose && dossier !== null} />
        </>
      }
    >
      {dossier === null
        ? <p class="panel note">{`There is no more than its fields: ${lack}.`}</p>
        : (
          <>
            <Lineage processes={dossier.processes} />
            <Why why={dossier.why} />
          </>
        )}
      <Fields alert={alert} dossier={dossier} />
      {dossier === null ? null : <RuleText rule={dossier.rule} />}
      {dossier === null ? null : (
        <Around
          capture={dossier.capture}
          path={can.canRead ? `${alertPath(rowOf(alert).id)}/events` : undefined}
        />
      )}
    </AlertDocument>
  );
}

function Remarks({ alert }: { readonly alert: Alert }) {
  const { repeats, degraded, containerUntold } = alert;
  const remarks = [
    ...(repeats === undefined ? [] : [
      `It stands for ${many(repeats.count, "such alert")}, from ${isoTimeUtc(repeats.first)} to ` +
      `${isoTimeUtc(repeats.last)}.`,
    ]),
    ...(degraded ? ["Events were lost shortly before: what it says may be incomplete."] : []),
    ...(containerUntold === true ? ["No runtime told of its container in time."] : []),
    ...(alert.tags === undefined || alert.tags.length === 0
      ? []
      : [`Tags: ${alert.tags.map((tag) => short(tag, 60)).join(", ")}`]),
  ];
  return <>{remarks.map((remark) => <p class="note value-text">{remark}</p>)}</>;
}

function Actions({ alert, canPropose }: Pick<AlertProps, "alert" | "canPropose">) {
  const { id } = rowOf(alert);
  const ofRule = new URLSearchParams({ rule: alert.rule });
  return (
    <p class="row">
      {canPropose
        ? <a class="button primary" href={`${alertPath(id)}/exception`}>Propose an exception</a>
        : null}
      <a class="button" href={`/page/alerts?${ofRule}`}>Alerts of this rule</a>
      {alert.source === "internal"
        ? null
        : <a class="button" href={rulePath(alert.rule)}>The rule</a>}
      <a class="button" href={`/alerts/${encodeURIComponent(id)}`}>JSON</a>
    </p>
  );
}

function Fields({ alert, dossier }: Pick<AlertProps, "alert" | "dossier">) {
  // Those of the output first, in its order: they are what the rule's author thought of.
  const fields = new Map<string, string | null>();
  for (const [name, value] of fieldsOf(alert, { isoTime: false }, alert.time)) {
    fields.set(name, typeof value === "string" ? value : textOf(valueJson(value)));
  }
  for (const [name, value] of Object.entries(dossier?.fields ?? {})) {
    if (!fields.has(name)) fields.set(name, value === null ? null : valueText(value));
  }
  const known = [...fields].filter(([, value]) => value !== null && value !== "");
  const empty = [...fields].filter(([, value]) => value === "").map(([name]) => name);
  const unknown = [...fields].filter(([, value]) => value === null).map(([name]) => name);
  return (
    <section class="panel" aria-labelledby="fields">
      <h2 id="fields">Fields</h2>
      {known.length === 0 ? <p class="note">The alert has none.</p> : (
        <dl class="facts">
          {known.map(([name, value]) => (
            <>
              <dt>{shown(name)}</dt>
              <dd class="mono value-text">{fieldText(name, value!)}</dd>
            </>
          ))}
        </dl>
      )}
      {empty.length === 0
        ? null
        : <p class="note">{`Empty: ${empty.map((name) => shown(name)).join(", ")}.`}</p>}
      {unknown.length === 0
        ? null
        : <p class="note">{`The event has no ${unknown.map((name) => shown(name)).join(", ")}.`}
        </p>}
    </section>
  );
}

/** Numbers as they are, however large; `null`: the event has none. */
function textOf(json: string): string | null {
  return json === "null" ? null : json;
}

function Around({ capture, path }: Pick<DossierJson, "capture"> & {
  readonly path: string | undefined;
}) {
  return (
    <section class="panel" aria-labelledby="around">
      <h2 id="around">The events around it</h2>
      {capture === null
        ? (
          <p class="note">
            No capture was kept. A rule with <code>capture: true</code>{" "}
            writes one when it fires, where capture is enabled.
          </p>
        )
        : (
          <>
            {path === undefined ? null : (
              <p class="row">
                <a class="button" href={path}>Events of its process</a>
                <a class="button" href={`${path}?of=all`}>Events of all processes</a>
              </p>
            )}
            <p>A capture holds them, a file on that host:</p>
            <pre>{shown(capture)}</pre>
            <p class="note">
              <code>saker replay</code> takes it through the rules again; other tools that read{" "}
              <code>.scap</code> files open it as well.
            </p>
          </>
        )}
    </section>
  );
}
