// Why a rule fired: its condition as a tree, each part with its answer and each check with the
// values that it saw, as `saker explain` tells it. Parts that hold stand open, others are folded.
import type { WhyJson, WhyPartJson } from "../told/answers.ts";
import { count, short } from "./shown.ts";

export function Why({ why }: { readonly why: WhyJson }) {
  return (
    <section class="panel" aria-labelledby="why">
      <h2 id="why">Why it fired</h2>
      {why.view === null ? null : <p class="note">{`Judged by ${short(why.view)}.`}</p>}
      {why.tree === null
        ? <p class="note">The condition was not kept.</p>
        : <ul class="tree">{<Part part={why.tree} />}</ul>}
      {why.left_off === 0 ? null : (
        <p class="note">
          {`${count(why.left_off)} further parts of the condition were not kept.`}
        </p>
      )}
    </section>
  );
}

const WORDS = { and: "all of these", or: "one of these", not: "not", check: "" } as const;

function Part({ part }: { readonly part: WhyPartJson }) {
  const { holds, children = [] } = part;
  const answer = holds === null ? "unknown" : holds ? "holds" : "fails";
  if (part.kind === "check") return <li class={answer}>{<Check part={part} />}</li>;
  const title = (
    <>
      <Answer holds={holds} />
      <span class="text">{WORDS[part.kind]}</span>
      <Macro name={part.macro} />
    </>
  );
  const inner = <ul>{children.map((child) => <Part part={child} />)}</ul>;
  // What holds is what a reader looks for; the rest is there to be opened.
  if (holds === true || children.length < 2) return <li class={answer}>{title}{inner}</li>;
  return (
    <li>
      <details>
        <summary class={answer}>
          {title} <span class="was">{`(${children.length} parts)`}</span>
        </summary>
        {inner}
      </details>
    </li>
  );
}

function Check({ part }: { readonly part: WhyPartJson }) {
  const values = part.values ?? [];
  return (
    <>
      <Answer holds={part.holds} />
      <span class="text">{short(part.text ?? "", 600)}</span>
      <Macro name={part.macro} />
      {values.map(({ of, is }) => (
        <div class="was">
          {values.length === 1 ? null : <code>{`${short(of, 120)} `}</code>}
          was <code>{short(is, 1000)}</code>
        </div>
      ))}
    </>
  );
}

/** The macro that a part stands for. */
function Macro({ name }: { readonly name: string | undefined }) {
  if (name === undefined) return null;
  return <span class="was value-text">{` (${short(name, 120)})`}</span>;
}

/** For those who do not see the mark. */
function Answer({ holds }: { readonly holds: boolean | null }) {
  return (
    <span class="hidden">
      {holds === null ? "not known: " : holds ? "holds: " : "does not hold: "}
    </span>
  );
}
