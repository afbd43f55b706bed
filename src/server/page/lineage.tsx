// Who started whom: the process of an alert and its ancestors by birth, the oldest first. What is
// not known is said to be unknown, never guessed (docs/lineage.md).
import type { ProcessJson } from "../told/answers.ts";
import { clockOf, count, dayOf, many, short, shown } from "./shown.ts";

export function Lineage({ processes }: { readonly processes: readonly ProcessJson[] | null }) {
  return (
    <section class="panel" aria-labelledby="lineage">
      <h2 id="lineage">Who started whom</h2>
      {processes === null || processes.length === 0
        ? <p class="note">The event has no process.</p>
        : <ul class="tree lineage">{<Ancestor oldestFirst={[...processes].reverse()} />}</ul>}
    </section>
  );
}

/** The first of them, and all that came of it inside. */
function Ancestor({ oldestFirst }: { readonly oldestFirst: readonly ProcessJson[] }) {
  const [process, ...made] = oldestFirst;
  if (process === undefined) return null;
  const between = process.unknown_between;
  const inner = made.length === 0 ? null : <ul>{<Ancestor oldestFirst={made} />}</ul>;
  const isSelf = made.length === 0;
  return (
    <li class={isSelf ? "self" : ""}>
      <Process process={process} isSelf={isSelf} />
      {between === 0 || isSelf ? inner : (
        <ul>
          <li>
            <span class="was">
              {between === null
                ? "? an unknown number of processes between"
                : `? ${many(between, "process").replace(/sss$/, "sses")} between, not known`}
            </span>
            {inner}
          </li>
        </ul>
      )}
    </li>
  );
}

function Process({ process, isSelf }: { readonly process: ProcessJson; readonly isSelf: boolean }) {
  const { pid, name, exe, exepath, cmdline, started, past, known } = process;
  const told = [
    started === null ? "start not seen" : `started ${dayOf(started)} ${clockOf(started)} UTC`,
    ...(known === "listed" ? ["parent as /proc listed it"] : []),
    ...(past ? [isSelf ? "ended since" : "ended, or runs another program since"] : []),
  ];
  return (
    <>
      <span class="who value-text">{`${short(name, 100) || "?"} (${pid})`}</span>{" "}
      <span class="was value-text">{short(exepath === "" ? exe : exepath, 300)}</span>
      <span class="args">
        {cmdline === null ? "arguments were not kept" : shown(cmdline.slice(0, 4096))}
        {cmdline !== null && cmdline.length > 4096
          ? ` … ${count(cmdline.length - 4096)} more characters`
          : ""}
      </span>
      <span class="was">{told.join(", ")}</span>
    </>
  );
}
