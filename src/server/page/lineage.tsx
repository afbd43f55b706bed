// Who started whom: the process of an alert and its ancestors by birth, the oldest first. What is
// not known is said to be unknown, never guessed (docs/lineage.md).
import type { ProcessJson } from "../told/answers.ts";
import { clockOf, count, dayOf, short, shown } from "./shown.ts";

export function Lineage({ processes }: { readonly processes: readonly ProcessJson[] | null }) {
  const oldestFirst = [...processes ?? []].reverse();
  return (
    <section class="panel" aria-labelledby="lineage">
      <h2 id="lineage">Who started whom</h2>
      {oldestFirst.length === 0
        ? <p class="note">The event has no process.</p>
        : (
          <ol class="lineage">
            {oldestFirst.map((process, at) => (
              <>
                <li
                  class={`deep-${Math.min(at, DEEPEST)}${isLast(at, oldestFirst) ? " self" : ""}`}
                >
                  <Process process={process} isSelf={isLast(at, oldestFirst)} />
                </li>
                <Gap between={process.unknown_between} at={at + 1} />
              </>
            ))}
          </ol>
        )}
    </section>
  );
}

/** Further ones stand below each other: a phone has no room for all. */
const DEEPEST = 8;

function isLast(at: number, all: readonly unknown[]): boolean {
  return at === all.length - 1;
}

function Gap({ between, at }: { readonly between: number | null; readonly at: number }) {
  if (between === 0) return null;
  const text = between === null
    ? "? nobody knows how many processes stand between"
    : `? ${count(between)} between that are not known`;
  return <li class={`deep-${Math.min(at, DEEPEST)} was`}>{text}</li>;
}

/** Characters of arguments that stand open. */
const OPEN_MAX = 240;

function Process({ process, isSelf }: { readonly process: ProcessJson; readonly isSelf: boolean }) {
  const { pid, name, exe, exepath, cmdline, started, past, known } = process;
  const told = [
    started === null ? "nobody saw it start" : `started ${dayOf(started)} ${clockOf(started)} UTC`,
    ...(known === "listed" ? ["parent as /proc listed it"] : []),
    ...(past ? [isSelf ? "ended since" : "ended, or runs another program since"] : []),
  ];
  return (
    <>
      <span class="who value-text">{`${short(name, 100) || "?"} (${pid})`}</span>{" "}
      <span class="was value-text">{short(exepath === "" ? exe : exepath, 300)}</span>
      {cmdline === null ? <span class="was">, arguments were not kept</span> : null}
      {cmdline === null
        ? null
        : cmdline.length <= OPEN_MAX
        ? <code class="args">{shown(cmdline)}</code>
        : (
          <details>
            <summary>
              <code>{short(cmdline, OPEN_MAX)}</code>
            </summary>
            <code class="args">{shown(cmdline)}</code>
          </details>
        )}
      <div class="was">{told.join(", ")}</div>
    </>
  );
}
