// One rule: its text, what came of it, and what the sieve does for it.
import { priorityOf } from "../../words/priorities.ts";
import type { RuleJson, RulesAnswer } from "../told/answers.ts";
import { type AlertRow, AlertRows } from "./alert_rows.tsx";
import { Document, type Frame } from "./document.tsx";
import { RuleText } from "./rule_text.tsx";
import { firedAt } from "./rules.tsx";
import { count, duration, short, shown } from "./shown.ts";

export interface RuleProps {
  readonly frame: Frame;
  readonly rule: RuleJson;
  readonly sieve: RulesAnswer["sieve"];
  /** Its newest alerts, and where newer ones come from. */
  readonly newest: readonly AlertRow[];
  readonly live: string;
}

export function RulePage({ frame, rule, sieve, newest, live }: RuleProps) {
  return (
    <Document title={short(rule.name, 100)} frame={frame} assets={frame.assets} here="/page/rules">
      <p class="note">
        <a href="/page/rules">Rules</a>
      </p>
      <h1 class="value-text">{shown(rule.name)}</h1>
      <section class="panel" aria-label="What came of it">
        <p class="row">
          <span class="priority" data-priority={priorityOf(rule.priority) ?? 6}>
            {rule.priority}
          </span>
          {rule.enabled ? null : <span class="pill">disabled</span>}
          {rule.tags.map((tag) => <span class="pill value-text">{short(tag, 60)}</span>)}
        </p>
        <dl class="facts">
          <dt>Alerts</dt>
          <dd>{count(rule.matches)}</dd>
          <dt>Last fired (UTC)</dt>
          <dd>{firedAt(rule.last_fired)}</dd>
          <dt>Time spent judging</dt>
          <dd>{`${duration(rule.condition_ms)} (sampled)`}</dd>
          <dt>Time spent on its output</dt>
          <dd>{`${duration(rule.output_ms)} (sampled)`}</dd>
          <dt>Events of</dt>
          <dd>{shown(rule.source)}</dd>
        </dl>
      </section>
      {rule.dead.length === 0
        ? null
        : (
          <section class="panel trouble" aria-label="What it does not see">
            <h2>What it does not see on this host</h2>
            <ul>{rule.dead.map((reason) => <li class="value-text">{shown(reason)}</li>)}</ul>
          </section>
        )}
      <RuleText rule={rule} />
      <Sieve rule={rule} sieve={sieve} />
      <section class="panel">
        <h2>Its newest alerts</h2>
        <AlertRows rows={newest} live={live} keeps={20}>It has not fired so far.</AlertRows>
      </section>
    </Document>
  );
}

function Sieve({ rule, sieve }: Pick<RuleProps, "rule" | "sieve">) {
  const { events } = rule;
  const known = (events ?? []).filter((event) => (sieve[event]?.length ?? 0) > 0);
  return (
    <section class="panel" aria-labelledby="sieve">
      <h2 id="sieve">Which events it is tried on</h2>
      {events === null
        ? <p>Nearly all: its condition names no type of event, so the sieve cannot spare it any.</p>
        : events.length === 0
        ? <p class="note">None is known.</p>
        : <p class="mono">{events.map((event) => shown(event)).join(", ")}</p>}
      {known.length === 0 ? null : (
        <>
          <p class="note">
            The sieve lets such an event through where one of all rules in force can use it:
          </p>
          {known.map((event) => (
            <details>
              <summary class="mono">{shown(event)}</summary>
              <pre>{sieve[event]!.map((line) => shown(line)).join("\n")}</pre>
            </details>
          ))}
        </>
      )}
    </section>
  );
}
