// A rule as it was loaded: where it stands and its text.
import type { RuleTextJson } from "../told/answers.ts";
import { short, shown } from "./shown.ts";
import { visibleText } from "../../words/visible.ts";

const TEXT_MAX = 64_000;

export function RuleText({ rule }: { readonly rule: RuleTextJson }) {
  const { file, line, text, also_at, condition, output, description } = rule;
  return (
    <section class="panel" aria-labelledby="rule-text">
      <h2 id="rule-text">The rule</h2>
      {description === "" ? null : <p class="value-text">{short(description.trim(), 4000)}</p>}
      <p class="note value-text">
        {`${shown(file)}:${line}`}
        {also_at.length === 0 ? "" : `; also ${also_at.map((at) => shown(at)).join(", ")}`}
      </p>
      <pre tabindex={0} aria-label="Text of the rule">
        {text === ""
          ? `condition: ${shown(condition)}\noutput: ${shown(output)}`
          : visibleText(text.slice(0, TEXT_MAX))}
      </pre>
      {text !== "" && also_at.length > 0
        ? (
          <details>
            <summary>The condition with all that was appended</summary>
            <pre>{shown(condition)}</pre>
          </details>
        )
        : null}
    </section>
  );
}

export function rulePath(name: string): string {
  return `/page/rules/${encodeURIComponent(name.toWellFormed())}`;
}
