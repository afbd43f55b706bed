// The configuration in force: each key with its value and where that comes from, and what was wrong
// with it. Secrets are not among the values.
import type { ConfigAnswer, ConfigKeyJson } from "../told/answers.ts";
import { Document, type Frame } from "./document.tsx";
import { clockOf, count, dayOf, many, short, shown, valueText } from "./shown.ts";

export interface ConfigProps {
  readonly frame: Frame;
  readonly answer: ConfigAnswer;
}

export function ConfigPage({ frame, answer }: ConfigProps) {
  const { files, keys, problems, rules_warnings, reload } = answer;
  const set = keys.filter(({ where }) => where !== "default");
  const others = keys.filter(({ where }) => where === "default");
  return (
    <Document title="Configuration" frame={frame} assets={frame.assets} here="/page/config">
      <div class="head">
        <h1>Configuration</h1>
        <p class="note">
          {`Generation ${count(reload.generation)}, in force since ${dayOf(reload.since)} ${
            clockOf(reload.since)
          } UTC`}
        </p>
      </div>
      <Lines title="What is wrong with it" lines={problems} />
      <Lines title="What is odd about the rules" lines={rules_warnings} />
      <Refused reload={reload} />
      <Lines title="Changes that wait for a restart" lines={reload.restart} />
      {problems.length + rules_warnings.length + reload.refused.length + reload.restart.length === 0
        ? <p class="panel">Nothing is wrong with it.</p>
        : null}
      <section class="panel">
        <h2>{set.length === 0 ? "All keys have their defaults" : "What was set"}</h2>
        <p class="note value-text">
          {files.length === 0
            ? "No configuration file was read."
            : `From ${files.map((file) => shown(file)).join(", ")}`}
        </p>
        {set.length === 0 ? null : <Keys keys={set} />}
      </section>
      {others.length === 0 ? null : (
        <section class="panel">
          <details>
            <summary>{`Defaults (${many(others.length, "key")})`}</summary>
            <Keys keys={others} />
          </details>
        </section>
      )}
      {reload.sha256 === null
        ? null
        : <p class="note mono">{`SHA-256 of configuration and rules: ${reload.sha256}`}</p>}
    </Document>
  );
}

const LINES_MAX = 200;

function Lines({ title, lines }: { readonly title: string; readonly lines: readonly string[] }) {
  if (lines.length === 0) return null;
  return (
    <section class="panel trouble">
      <h2>{title}</h2>
      <ul>
        {lines.slice(0, LINES_MAX).map((line) => <li class="value-text">{short(line, 2000)}</li>)}
      </ul>
      {lines.length > LINES_MAX
        ? <p class="note">{`${count(lines.length - LINES_MAX)} more`}</p>
        : null}
    </section>
  );
}

function Refused({ reload }: Pick<ConfigAnswer, "reload">) {
  const { refusals, refused } = reload;
  if (refusals === 0) return null;
  return (
    <section class="panel trouble">
      <h2>New ones that were refused, the old stayed in force</h2>
      <ul>
        {[...refused].reverse().map(({ at, error }) => (
          <li>
            <time datetime={at}>{`${dayOf(at)} ${clockOf(at)}`}</time>
            <pre>{error.split("\n").map((line) => shown(line)).join("\n")}</pre>
          </li>
        ))}
      </ul>
      {refusals > refused.length
        ? <p class="note">{`${count(refusals - refused.length)} earlier ones are not kept.`}</p>
        : null}
    </section>
  );
}

function Keys({ keys }: { readonly keys: readonly ConfigKeyJson[] }) {
  return (
    <table class="cards">
      <thead>
        <tr>
          <th scope="col">Key</th>
          <th scope="col">Value</th>
          <th scope="col">From</th>
        </tr>
      </thead>
      <tbody>
        {keys.map(({ key, value, where, fate, why }) => (
          <tr>
            <th scope="row" class="mono">{shown(key)}</th>
            <td class="mono value-text">{short(valueText(value), 2000)}</td>
            <td class="note value-text">
              {shown(where)}
              {fate === null
                ? null
                : <div>{`${shown(fate)}${why === null ? "" : `: ${shown(why)}`}`}</div>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
