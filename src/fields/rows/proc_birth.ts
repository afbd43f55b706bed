// Fields of the ancestors that a process was born with: a double fork, a new session, a subreaper
// or CLONE_PARENT change its parent, not these. All are saker's own.
import type { Context } from "../../state/contract/context.ts";
import type { Thread } from "../../state/tables/thread.ts";
import type { Field } from "../row/field.ts";
import {
  ancestorId,
  ancestorText,
  asItIs,
  BIRTH,
  birthOf,
  LEVELS_MAX,
  LINE,
  stringOf,
} from "./kin.ts";
import { ofThread } from "./proc.ts";
import { fields } from "../row/row.ts";

export function birthFields(): Field[] {
  return [...texts(), ...chain()];
}

function texts(): Field[] {
  const described = (of: string, shown = "all") =>
    `${of} of an ancestor that the process was born with, whoever its parent is now: [1] is the ` +
    "process that made it, as it was then, [0] the process itself. Without an index, any of them " +
    `in a condition and ${shown} in outputs. saker's own.`;
  return [
    ancestorText("proc.birth.name", described("proc.name"), BIRTH, stringOf(({ comm }) => comm)),
    ancestorText("proc.birth.exe", described("proc.exe"), BIRTH, stringOf(({ exe }) => exe)),
    ancestorText(
      "proc.birth.exepath",
      described("proc.exepath"),
      BIRTH,
      stringOf(({ exepath }) => exepath),
    ),
    ancestorText("proc.birth.cmdline", described("proc.cmdline"), BIRTH, LINE),
    ancestorId("proc.birth.pid", described("Id", "the process itself"), BIRTH),
  ];
}

function chain(): Field[] {
  return fields("process", [
    {
      name: "proc.birth.ancestry",
      type: "CHARBUF",
      isList: true,
      flags: ["no_rhs"],
      description: "The ancestors that the process was born with, from its maker on, each as " +
        "name(pid); ? where some between are not known. saker's own.",
      domain: "thread",
      extract: ofThread(ancestry),
    },
    {
      name: "proc.birth.seen",
      type: "UINT64",
      format: "DEC",
      description: "How many of these ancestors, from the nearest on, were seen to make the next " +
        "one; of those behind a list of processes told. saker's own.",
      domain: "thread",
      extract: ofThread(seen),
    },
  ]);
}

function ancestry(thread: Thread, context: Context): string[] {
  const { strings } = context.machine;
  const shown: string[] = [];
  let at = birthOf(thread, context);
  while (at !== undefined && shown.length < LEVELS_MAX) {
    if (at.between !== 0) shown.push("?");
    at = at.maker;
    if (at !== undefined) shown.push(`${strings.text(asItIs(at).comm) ?? ""}(${at.pid})`);
  }
  return shown;
}

function seen(thread: Thread, context: Context): number {
  let count = 0;
  let at = birthOf(thread, context);
  while (at?.maker !== undefined && !at.listed && at.between === 0) {
    count++;
    at = at.maker;
  }
  return count;
}
