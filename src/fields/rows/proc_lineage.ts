// Fields of a process's parent, ancestors, session and group leaders.
import type { Context } from "../../state/contract/context.ts";
import type { Machine } from "../../state/contract/machine.ts";
import { MISSING } from "../../state/tables/strings.ts";
import type { Thread } from "../../state/tables/thread.ts";
import { commandLine, joinNul, variable } from "../text/arguments_text.ts";
import type { Field, Value } from "../row/field.ts";
import { ofThread, shownId } from "./proc.ts";
import { field, fields, indexArgument, type Row, textOf, withArgument } from "../row/row.ts";

export function lineageFields(): Field[] {
  return [
    ...parentFields(),
    ...leaderFields(),
    ...ancestorTexts(),
    ancestorArguments(),
    ancestorIds(),
    ancestorEnv(),
    ancestry(),
    loginShell(),
  ];
}

/** More ancestors are not walked: a chain so long is a loop or an attack. */
const LEVELS_MAX = 1024;

/** Calls `visit` with each ancestor from the parent on, until it returns false. */
function forEachAncestor(
  machine: Machine,
  thread: Thread,
  visit: (ancestor: Thread) => boolean,
): void {
  let at = machine.threads.get((machine.mainOf(thread) ?? thread).ptid);
  for (let level = 0; at !== undefined && at.tid !== -1 && level < LEVELS_MAX; level++) {
    if (!visit(at)) return;
    const next = machine.threads.get(at.ptid);
    if (next === undefined || next === at || next.tid === next.ptid) return;
    at = next;
  }
}

function ancestors<T>(
  { machine }: Context,
  thread: Thread,
  read: (ancestor: Thread) => T,
): T[] {
  const list: T[] = [];
  forEachAncestor(machine, thread, (ancestor) => list.push(read(ancestor)) > 0);
  return list;
}

function ofParent(read: (parent: Thread, context: Context) => Value): Row["extract"] {
  return ofThread((thread, context) => {
    const parent = context.machine.parentOf(thread);
    return parent && read(parent, context);
  });
}

function parentId(read: (parent: Thread) => number): (context: Context) => number {
  return ({ machine, thread }) => {
    const parent = thread && machine.parentOf(thread);
    return parent === undefined ? MISSING : read(parent);
  };
}

function parentFields(): Field[] {
  return fields("process", [
    {
      name: "proc.pexe",
      type: "CHARBUF",
      description: "proc.exe of the parent.",
      domain: "thread",
      ...textOf(parentId((parent) => parent.exe)),
    },
    {
      name: "proc.pexepath",
      type: "CHARBUF",
      description: "proc.exepath of the parent.",
      domain: "thread",
      ...textOf(parentId((parent) => parent.exepath)),
    },
    {
      name: "proc.pname",
      type: "CHARBUF",
      description: "proc.name of the parent.",
      domain: "thread",
      ...textOf(parentId((parent) => parent.comm)),
    },
    {
      name: "proc.pcmdline",
      type: "CHARBUF",
      description: "proc.cmdline of the parent.",
      domain: "thread",
      extract: ofParent((parent, { machine }) => commandLine(machine, parent)),
    },
    {
      name: "proc.ppid",
      type: "INT64",
      format: "ID",
      description: "Id of the parent process.",
      domain: "thread",
      extract: ofParent((parent) => shownId(parent.pid)),
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
      extract: ofParent((parent, { event, machine, thread }) => {
        if (parent.cloneTs !== 0n) return event.time() - parent.cloneTs;
        return machine.fdsOf(thread!)?.size ?? 0;
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

/** Reads of ancestor N; a condition without an index asks all of them. */
function ancestorField(
  name: string,
  source: string,
  read: (ancestor: Thread, context: Context) => string,
  readId?: (ancestor: Thread) => number,
): Field {
  const row = {
    name,
    type: "CHARBUF" as const,
    flags: ["no_rhs", "no_transformer"] as const,
    description:
      `${source} of an ancestor: [1] is the parent, [0] the process itself. Without an ` +
      "index, any ancestor in a condition and all of them in outputs.",
    domain: "thread" as const,
  };
  return withArgument("process", row, { required: false, kinds: [] }, (argument) => {
    if (argument === undefined) {
      return {
        anyOf: true,
        extract: ofThread((thread, context) =>
          ancestors(context, thread, (ancestor) => read(ancestor, context))
        ),
        show: ofThread((thread, context) =>
          joined(ancestors(context, thread, (ancestor) => read(ancestor, context)))
        ),
      };
    }
    const level = indexArgument(argument);
    if (level === undefined) return { error: notALevel(argument) };
    const extract = ofThread((thread, context) => {
      const ancestor = context.machine.ancestorOf(thread, level);
      return ancestor && read(ancestor, context);
    });
    if (readId === undefined) return { extract };
    return {
      extract,
      extractId: ({ machine, thread }) => {
        const ancestor = thread && machine.ancestorOf(thread, level);
        return ancestor === undefined ? MISSING : readId(ancestor);
      },
    };
  });
}

function notALevel(argument: string): string {
  return `"${argument}" is not the number of an ancestor, such as 1 for the parent`;
}

/** Texts in one, blanks between those that are not empty; nothing for an empty one. */
function joined(texts: readonly string[]): Value {
  const text = texts.reduce((all, next) => all === "" ? next : `${all} ${next}`, "");
  return text === "" ? undefined : text;
}

function ancestorTexts(): Field[] {
  const text = (read: (ancestor: Thread) => number) => (ancestor: Thread, context: Context) =>
    context.machine.strings.text(read(ancestor)) ?? "";
  const comm = (thread: Thread) => thread.comm;
  const exe = (thread: Thread) => thread.exe;
  const exepath = (thread: Thread) => thread.exepath;
  return [
    ancestorField("proc.aname", "proc.name", text(comm), comm),
    ancestorField("proc.aexe", "proc.exe", text(exe), exe),
    ancestorField("proc.aexepath", "proc.exepath", text(exepath), exepath),
    ancestorField(
      "proc.acmdline",
      "proc.cmdline",
      (ancestor, { machine }) => commandLine(machine, ancestor),
    ),
  ];
}

function ancestorArguments(): Field {
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
          joined(ancestors(context, thread, (ancestor) => joinNul(ancestor.args)))
        ),
      };
    }
    const level = indexArgument(argument);
    if (level === undefined) return { error: notALevel(argument) };
    return {
      extract: ofThread((thread, { machine }) => {
        const ancestor = machine.ancestorOf(thread, level);
        return ancestor && joinNul(ancestor.args);
      }),
    };
  });
}

function ancestorIds(): Field {
  const row = {
    name: "proc.apid",
    type: "INT64" as const,
    format: "ID" as const,
    flags: ["no_rhs", "no_transformer"] as const,
    description:
      "Id of an ancestor: [1] is the parent, [0] the process itself. Without an index, " +
      "any ancestor in a condition and the process itself in outputs.",
    domain: "thread" as const,
  };
  const idAt = (level: number) =>
    ofThread((thread, { machine }) => {
      const ancestor = machine.ancestorOf(thread, level);
      return ancestor && shownId(ancestor.pid);
    });
  return withArgument("process", row, { required: false, kinds: [] }, (argument) => {
    if (argument === undefined) {
      return {
        anyOf: true,
        extract: ofThread((thread, context) =>
          ancestors(context, thread, (ancestor) => ancestor.pid)
        ),
        show: idAt(0),
      };
    }
    const level = indexArgument(argument);
    return level === undefined ? { error: notALevel(argument) } : { extract: idAt(level) };
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
        ancestors(context, thread, (ancestor) => envText(context, ancestor))
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

function ancestry(): Field {
  return field("process", {
    name: "proc.ancestry",
    type: "CHARBUF",
    isList: true,
    flags: ["no_rhs"],
    description: "The ancestors from the parent on, each as name(pid). saker's own.",
    domain: "thread",
    extract: ofThread((thread, context) =>
      ancestors(
        context,
        thread,
        (ancestor) => `${context.machine.strings.text(ancestor.comm) ?? ""}(${ancestor.pid})`,
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
    extract: ofThread((thread, { machine }) => {
      const main = machine.mainOf(thread);
      if (main === undefined) return undefined;
      const isShell = (thread: Thread) => (machine.strings.text(thread.comm) ?? "").endsWith("sh");
      let found = isShell(main) ? main.pid : undefined;
      forEachAncestor(machine, main, (ancestor) => {
        if (isShell(ancestor)) found = ancestor.pid;
        return true;
      });
      return found;
    }),
  });
}
