// The rules in force: what each matched, when it last did, and what it costs.
import { priorityOf } from "../../words/priorities.ts";
import type { RuleJson, RulesAnswer } from "../told/answers.ts";
import { Document, type Frame } from "./document.tsx";
import { rulePath } from "./rule_text.tsx";
import { clockOf, count, dayOf, duration, many, short, shown } from "./shown.ts";

export interface RulesProps {
  readonly frame: Frame;
  readonly answer: RulesAnswer;
  readonly search: string;
}

/** Rules of one page; a search finds the others. */
const ROWS_MAX = 500;

export function Rules({ frame, answer, search }: RulesProps) {
  const found = answer.rules.filter((rule) => isFound(rule, search));
  const enabled = answer.rules.filter(({ enabled }) => enabled).length;
  return (
    <Document title="Rules" frame={frame} assets={frame.assets} here="/page/rules">
      <div class="head">
        <h1>Rules</h1>
        <p class="note">
          {`${count(enabled)} of ${many(answer.rules.length, "rule")} enabled, in force since ${
            dayOf(answer.since)
          } ${clockOf(answer.since)} UTC`}
        </p>
      </div>
      {answer.error === undefined
        ? null
        : <p class="panel trouble">{`Their texts are not there: ${shown(answer.error)}`}</p>}
      <form class="panel filters" method="get" action="/page/rules" role="search">
        <label class="wide">
          Search in names, tags and texts
          <input
            type="search"
            name="search"
            value={search}
            maxlength={200}
            autocomplete="off"
            aria-keyshortcuts="/"
          />
        </label>
        <div class="row">
          <button type="submit" class="primary">Search</button>
          <a class="button" href="/page/rules">Clear</a>
        </div>
      </form>
      <section class="panel" aria-label="Rules">
        {found.length === 0 ? <p class="empty">No rule is like that.</p> : <Table rules={found} />}
        {found.length > ROWS_MAX
          ? <p class="note">{`${count(found.length - ROWS_MAX)} more: search for them.`}</p>
          : null}
      </section>
    </Document>
  );
}

function isFound({ name, tags, text, description }: RuleJson, search: string): boolean {
  const words = search.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const all = [name, ...tags, description, text].join("\n").toLowerCase();
  return words.every((word) => all.includes(word));
}

function Table({ rules }: { readonly rules: readonly RuleJson[] }) {
  const sorted = [...rules].sort((one, other) =>
    Number(other.enabled) - Number(one.enabled) || other.matches - one.matches ||
    (one.name < other.name ? -1 : 1)
  );
  return (
    <table class="cards">
      <thead>
        <tr>
          <th scope="col">Rule</th>
          <th scope="col">Priority</th>
          <th scope="col" class="number">Alerts</th>
          <th scope="col">Last fired (UTC)</th>
          <th scope="col" class="number">Time spent</th>
        </tr>
      </thead>
      <tbody>
        {sorted.slice(0, ROWS_MAX).map((rule) => (
          <tr>
            <th scope="row">
              <a class="value-text" href={rulePath(rule.name)}>{short(rule.name, 200)}</a>
              {rule.enabled ? null : <span class="pill">disabled</span>}
              {rule.dead.length === 0
                ? null
                : <span class="pill" data-state="degraded">sees not all</span>}
            </th>
            <td>
              <span class="priority" data-priority={priorityOf(rule.priority) ?? 6}>
                {rule.priority}
              </span>
            </td>
            <td class="number" data-label="Alerts">{count(rule.matches)}</td>
            <td data-label="Last fired">{firedAt(rule.last_fired)}</td>
            <td class="number" data-label="Time spent">{spent(rule)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function firedAt(time: string | null): string {
  return time === null ? "never" : `${dayOf(time)} ${clockOf(time)}`;
}

export function spent({ condition_ms, output_ms }: RuleJson): string {
  return duration(condition_ms + output_ms);
}
