// Fields of a process's parent, ancestors, session and group leaders.
import type { Context } from "../../state/contract/context.ts";
import type { Machine } from "../../state/contract/machine.ts";
import { MISSING } from "../../state/tables/strings.ts";
import type { Thread } from "../../state/tables/thread.ts";
import { joinNul, joinShort, variable } from "../text/arguments_text.ts";
import type { Field, Value } from "../row/field.ts";
import {
  type Ancestor,
  ancestorId,
  ancestorsOf,
  ancestorText,
  BIRTH,
  joined,
  KERNEL,
  type Kin,
  LEVELS_MAX,
  LINE,
  lineOrigin,
  notALevel,
  stringOf,
} from "./kin.ts";
import { ofThread, shownId } from "./proc.ts";
import { field, fields, indexArgument, type Row, textOf, withArgument } from "../row/row.ts";

/** `lineage`: whose ancestors they show, `engine.lineage`. */
export function lineageFields(lineage: "kernel" | "birth"): Field[] {
  const kin = lineage === "birth" ? BIRTH : KERNEL;
  return [
    ...parentFields(kin),
    ...leaderFields(),
    ...ancestorTexts(kin),
    ancestorArguments(kin),
    ancestorId(
      "proc.apid",
      "Id of an ancestor: [1] is the parent, [0] the process itself. Without an index, " +
        "any ancestor in a condition and the process itself in outputs.",
      kin,
    ),
    ancestorEnv(),
    ancestry(kin),
    loginShell(),
  ];
}

function ofParent(kin: Kin, read: (parent: Ancestor, context: Context) => Value): Row["extract"] {
  return ofThread((thread, context) => {
    const parent = kin.at(thread, 1, context);
    return parent && read(parent, context);
  });
}

function parentFields(kin: Kin): Field[] {
  const textOfParent = (read: (ancestor: Ancestor) => number) => {
    const of = (find: (context: Context) => Ancestor | undefined) =>
      textOf((context) => {
        const found = find(context);
        return found === undefined ? MISSING : read(found);
      });
    const text = of((context) => context.thread && kin.at(context.thread, 1, context));
    if (kin !== KERNEL) return text;
    return { ...text, ofItself: of(({ thread }) => thread).extract };
  };
  return fields("process", [
    {
      name: "proc.pexe",
      type: "CHARBUF",
      description: "proc.exe of the parent.",
      domain: "thread",
      ...textOfParent((parent) => parent.exe),
    },
    {
      name: "proc.pexepath",
      type: "CHARBUF",
      description: "proc.exepath of the parent.",
      domain: "thread",
      ...textOfParent((parent) => parent.exepath),
    },
    {
      name: "proc.pname",
      type: "CHARBUF",
      description: "proc.name of the parent.",
      domain: "thread",
      ...textOfParent((parent) => parent.comm),
    },
    {
      name: "proc.pcmdline",
      type: "CHARBUF",
      description: "proc.cmdline of the parent.",
      domain: "thread",
      extract: ofParent(kin, LINE.read),
      show: ofParent(kin, LINE.short),
      origin: lineOrigin(kin, 1),
    },
    {
      name: "proc.ppid",
      type: "INT64",
      format: "ID",
      description: "Id of the parent process.",
      domain: "thread",
      extract: ofParent(kin, (parent) => shownId(parent.pid)),
    },
    {
      name: "proc.pvpid",
      type: "INT64",
      format: "ID",
      description: "Id of the parent process in its own pid namespace.",
      domain: "thread",
      extract: ofThread((thread, { machine }) => machine.threads.get(thread.ptid)?.vpid),
    },
    {
      // Without a known start Falco shows the number of open descriptors here; so it is kept.
      name: "proc.ppid.duration",
      type: "RELTIME",
      format: "DEC",
      description: "Nanoseconds since the parent process began.",
      extract: ofThread((thread, { event, machine }) => {
        const parent = machine.parentOf(thread);
        if (parent === undefined) return undefined;
        if (parent.cloneTs !== 0n) return event.time() - parent.cloneTs;
        return machine.fdsOf(thread)?.size ?? 0;
      }),
    },
    {
      name: "proc.ppid.ts",
      type: "RELTIME",
      format: "DEC",
      description: "When the parent process began, ns since the epoch; 0 if it was there before.",
      domain: "thread",
      extract: ofThread((thread, { machine }) => machine.threads.get(thread.ptid)?.cloneTs),
    },
  ]);
}

/** Leaders are looked up in the table of threads, which changes without the thread's knowing: so
 * these fields depend on the event. */
function leaderFields(): Field[] {
  const leaders = [
    ["proc.sid", "session", (machine: Machine, thread: Thread) => machine.sessionLeaderOf(thread)],
    [
      "proc.vpgid",
      "process group in its pid namespace",
      (machine: Machine, thread: Thread) => machine.groupLeaderOf(thread, "vpgid"),
    ],
    [
      "proc.pgid",
      "process group",
      (machine: Machine, thread: Thread) => machine.groupLeaderOf(thread, "pgid"),
    ],
  ] as const;
  const parts = [
    ["name", "proc.name", (thread: Thread) => thread.comm],
    ["exe", "proc.exe", (thread: Thread) => thread.exe],
    ["exepath", "proc.exepath", (thread: Thread) => thread.exepath],
  ] as const;
  return leaders.flatMap(([prefix, what, find]) =>
    parts.map(([part, source, read]) =>
      field("process", {
        name: prefix === "proc.sid" && part === "name" ? "proc.sname" : `${prefix}.${part}`,
        type: "CHARBUF",
        description: `${source} of the leader of the ${what}.`,
        extract: ofThread((thread, { machine }) => {
          const leader = find(machine, thread);
          return leader === undefined ? "" : machine.strings.text(read(leader));
        }),
      })
    )
  );
}

function ancestorTexts(kin: Kin): Field[] {
  const described = (of: string) =>
    `${of} of an ancestor: [1] is the parent, [0] the process itself. Without an ` +
    "index, any ancestor in a condition and all of them in outputs.";
  return [
    ancestorText("proc.aname", described("proc.name"), kin, stringOf(({ comm }) => comm)),
    ancestorText("proc.aexe", described("proc.exe"), kin, stringOf(({ exe }) => exe)),
    ancestorText(
      "proc.aexepath",
      described("proc.exepath"),
      kin,
      stringOf(({ exepath }) => exepath),
    ),
    ancestorText("proc.acmdline", described("proc.cmdline"), kin, LINE),
  ];
}

function ancestorArguments(kin: Kin): Field {
  const row = {
    name: "proc.aargs",
    type: "CHARBUF" as const,
    description: "Arguments of an ancestor: [1] is the parent, [0] the process itself. Without " +
      "an index, those of all ancestors.",
    domain: "thread" as const,
  };
  return withArgument("process", row, { required: false, kinds: [] }, (argument) => {
    if (argument === undefined) {
      return {
        extract: ofThread((thread, context) =>
          joined(ancestorsOf(kin, thread, context).map((ancestor) => joinNul(ancestor.args)))
        ),
        show: ofThread((thread, context) =>
          joined(ancestorsOf(kin, thread, context).map((ancestor) => joinShort(ancestor.args)))
        ),
      };
    }
    const level = indexArgument(argument);
    if (level === undefined) return { error: notALevel(argument) };
    return {
      extract: ofThread((thread, context) => {
        const ancestor = kin.at(thread, level, context);
        return ancestor && joinNul(ancestor.args);
      }),
    };
  });
}

/** Levels that a search by a variable's name goes up. */
const ENV_LEVELS_MAX = 20;

function ancestorEnv(): Field {
  const row = {
    name: "proc.aenv",
    type: "CHARBUF" as const,
    flags: ["no_rhs", "no_transformer"] as const,
    description: "Environment of an ancestor: [N] the whole of it, [NAME] the value that the " +
      "nearest ancestor has. In a condition without a name, any ancestor's.",
    domain: "thread" as const,
  };
  return withArgument("process", row, { required: false, kinds: [] }, (argument) => {
    if (argument !== undefined && argument !== "" && !/^\d+$/.test(argument)) {
      return { extract: ofThread((thread, context) => nearest(thread, context, argument)) };
    }
    const level = Number(argument ?? 0);
    return {
      anyOf: true,
      extract: ofThread((thread, context) =>
        (ancestorsOf(KERNEL, thread, context) as Thread[]).map((ancestor) =>
          envText(context, ancestor)
        )
      ),
      show: ofThread((thread, context) => {
        let at: Thread | undefined = level === 0
          ? thread
          : context.machine.mainOf(thread) ?? thread;
        for (let step = 0; step < Math.min(level, LEVELS_MAX); step++) {
          at = at && context.machine.threads.get(at.ptid);
        }
        return at && envText(context, at);
      }),
    };
  });
}

function envText({ machine }: Context, thread: Thread): string {
  return joinNul((machine.mainOf(thread) ?? thread).env);
}

function nearest(thread: Thread, { machine }: Context, name: string): string {
  let at = machine.mainOf(thread);
  for (let level = 0; level < ENV_LEVELS_MAX && at !== undefined; level++) {
    at = machine.threads.get(at.ptid);
    const value = at === undefined ? "" : variable((machine.mainOf(at) ?? at).env, name);
    if (value !== "") return value;
  }
  return "";
}

function ancestry(kin: Kin): Field {
  return field("process", {
    name: "proc.ancestry",
    type: "CHARBUF",
    isList: true,
    flags: ["no_rhs"],
    description: "The ancestors from the parent on, each as name(pid). saker's own.",
    domain: "thread",
    extract: ofThread((thread, context) =>
      ancestorsOf(kin, thread, context).map((ancestor) =>
        `${context.machine.strings.text(ancestor.comm) ?? ""}(${ancestor.pid})`
      )
    ),
  });
}

function loginShell(): Field {
  return field("process", {
    name: "proc.loginshellid",
    type: "INT64",
    format: "ID",
    description: "Id of the eldest ancestor that is a shell (its name ends in sh), or of the " +
      "process itself.",
    domain: "thread",
    extract: ofThread((thread, context) => {
      const { strings } = context.machine;
      const main = context.machine.mainOf(thread);
      if (main === undefined) return undefined;
      return [main, ...ancestorsOf(KERNEL, main, context)]
        .findLast(({ comm }) => (strings.text(comm) ?? "").endsWith("sh"))?.pid;
    }),
  });
}
