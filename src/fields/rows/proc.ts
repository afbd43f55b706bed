// Fields of the process that an event belongs to: its program, arguments and ids.
import type { Context } from "../../state/contract/context.ts";
import { EMPTY, MISSING } from "../../state/tables/strings.ts";
import { type Thread, ThreadFlag } from "../../state/tables/thread.ts";
import {
  commandLine,
  countNul,
  joinNul,
  joinShort,
  splitNul,
  variable,
} from "../text/arguments_text.ts";
import type { Domain, Field, Origin, Value } from "../row/field.ts";
import { programUnderView } from "../text/kernel_paths.ts";
import { exact } from "../text/param_values.ts";
import { fields, indexArgument, type Row, textOf, withArgument } from "../row/row.ts";

export function processFields(): Field[] {
  return [...program(), argsField(), envField(), ...ids(), ...times(), ...flags()];
}

/** Reads from the event's thread; nothing without one. */
export function ofThread(read: (thread: Thread, context: Context) => Value): Row["extract"] {
  return (context) => {
    const { thread } = context;
    return thread === undefined ? undefined : read(thread, context);
  };
}

const thread: { domain: Domain } = { domain: "thread" };

/** What is made of the arguments and of one string besides. */
function argumentsBehind(first: (thread: Thread) => number): Origin {
  return {
    bytes: ({ thread }) => thread?.args,
    id: ({ thread }) => thread === undefined ? EMPTY : first(thread),
  };
}

function idOf(read: (thread: Thread) => number): (context: Context) => number {
  return (context) => context.thread === undefined ? MISSING : read(context.thread);
}

function program(): Field[] {
  return fields("process", [
    {
      name: "proc.exe",
      type: "CHARBUF",
      description: "First argument of the process, by custom its program's name.",
      ...thread,
      ...textOf(idOf((thread) => thread.exe)),
    },
    {
      name: "proc.exepath",
      type: "CHARBUF",
      description: "Full path of the program, links followed.",
      ...thread,
      ...textOf((context) => {
        if (context.thread === undefined) return MISSING;
        const name = programUnderView(context);
        return name === MISSING ? context.thread.exepath : name;
      }),
    },
    {
      name: "proc.name",
      type: "CHARBUF",
      description: "Name of the process as the kernel has it, cut to 15 bytes.",
      ...thread,
      ...textOf(idOf((thread) => thread.comm)),
    },
    {
      name: "proc.cmdline",
      type: "CHARBUF",
      description: "Name and arguments of the process.",
      ...thread,
      extract: ofThread((thread, { machine }) => commandLine(machine, thread)),
      show: ofThread((thread, { machine }) => commandLine(machine, thread, joinShort)),
      origin: argumentsBehind((thread) => thread.comm),
    },
    {
      name: "proc.exeline",
      type: "CHARBUF",
      description: "All arguments of the process, the first one (proc.exe) included.",
      ...thread,
      extract: ofThread((thread, { machine }) =>
        `${machine.strings.text(thread.exe) ?? ""} ${joinNul(thread.args)}`
      ),
      show: ofThread((thread, { machine }) =>
        `${machine.strings.text(thread.exe) ?? ""} ${joinShort(thread.args)}`
      ),
      origin: argumentsBehind((thread) => thread.exe),
    },
    {
      name: "proc.cmdnargs",
      type: "UINT64",
      format: "DEC",
      description: "Number of arguments, the first one (proc.exe) left out.",
      ...thread,
      extract: ofThread((thread) => countNul(thread.args)),
    },
    {
      name: "proc.cmdlenargs",
      type: "UINT64",
      format: "DEC",
      description: "Bytes of all arguments, the first one (proc.exe) left out.",
      ...thread,
      extract: ofThread((thread) => thread.args.reduce((sum, byte) => byte ? sum + 1 : sum, 0)),
    },
    {
      name: "proc.args.truncated",
      type: "BOOL",
      description: "Whether the arguments are longer than what was recorded of them. saker's own.",
      ...thread,
      extract: ofThread((thread, { machine: { strings } }) =>
        thread.lists?.argsCut ??
          strings.length(thread.exe) + 1 + thread.args.length >= LIST_BYTES_MAX
      ),
    },
    {
      name: "proc.args.length",
      type: "UINT64",
      format: "DEC",
      description:
        "Bytes of the arguments with the NUL behind each, the first one (proc.exe) left " +
        "out, also of those that were not recorded. saker's own.",
      ...thread,
      extract: ofThread(({ lists, args }) => lists?.args ?? args.length),
    },
    {
      name: "proc.env.truncated",
      type: "BOOL",
      description: "Whether the environment is longer than what was recorded of it. saker's own.",
      ...thread,
      extract: ofThread((thread, context) =>
        (context.machine.mainOf(thread) ?? thread).lists?.envCut ??
          envOf(thread, context).length >= LIST_BYTES_MAX
      ),
    },
    {
      name: "proc.env.length",
      type: "UINT64",
      format: "DEC",
      description:
        "Bytes of the environment with the NUL behind each variable, also of those that " +
        "were not recorded. saker's own.",
      ...thread,
      extract: ofThread((thread, context) =>
        (context.machine.mainOf(thread) ?? thread).lists?.env ?? envOf(thread, context).length
      ),
    },
    {
      // Not kept with the thread: another thread of the process may change it.
      name: "proc.cwd",
      type: "CHARBUF",
      description: "Working directory of the process, with a slash at the end.",
      extract: ofThread((_, context) =>
        context.process === undefined
          ? "./"
          : context.machine.strings.text(context.cwdOf(context.process))
      ),
    },
    {
      name: "proc.tty",
      type: "UINT32",
      format: "ID",
      description: "Number of the terminal that controls the process; 0 for none.",
      ...thread,
      extract: ofThread((thread) => thread.tty),
    },
  ]);
}

/** Drivers that tell no more cut the first argument and the others, and an environment, at this
 * length or a byte behind it. */
const LIST_BYTES_MAX = 4095;

function argsField(): Field {
  const row = {
    name: "proc.args",
    type: "CHARBUF" as const,
    description: "Arguments of the process, the first one (proc.exe) left out; [N] gives one.",
    ...thread,
  };
  return withArgument("process", row, { required: false, kinds: [] }, (argument) => {
    const origin = argumentsBehind(() => EMPTY);
    if (argument === undefined) {
      return {
        extract: ofThread((thread) => joinNul(thread.args)),
        show: ofThread((thread) => joinShort(thread.args)),
        origin,
      };
    }
    const index = indexArgument(argument);
    if (index === undefined) return { error: `"${argument}" is not the number of an argument` };
    return { extract: ofThread((thread) => splitNul(thread.args)[index] ?? ""), origin };
  });
}

function envField(): Field {
  const row = {
    name: "proc.env",
    type: "CHARBUF" as const,
    description: "Environment of the process; [NAME] gives one variable's value.",
    ...thread,
  };
  const origin: Origin = {
    bytes: (context) => context.thread && envOf(context.thread, context),
    id: () => EMPTY,
  };
  return withArgument("process", row, { required: false, kinds: [] }, (name) => {
    if (name === undefined || name === "" || /^\d+$/.test(name)) {
      return {
        extract: ofThread((thread, context) => joinNul(envOf(thread, context))),
        show: ofThread((thread, context) => joinShort(envOf(thread, context))),
        origin,
      };
    }
    return {
      extract: ofThread((thread, context) => variable(envOf(thread, context), name)),
      origin,
    };
  });
}

/** The environment belongs to the process: its main thread has it. */
function envOf(thread: Thread, { machine }: Context): Uint8Array {
  return (machine.mainOf(thread) ?? thread).env;
}

/** Ids that do not fit are a fake thread's. */
export function shownId(id: number): Value {
  return id >= -1 && id <= 0xffffffff ? id : undefined;
}

function ids(): Field[] {
  const id = (name: string, description: string, read: (thread: Thread) => Value): Row => ({
    name,
    type: "INT64",
    format: "ID",
    description,
    domain: "thread",
    extract: ofThread(read),
  });
  return fields("process", [
    id("proc.pid", "Id of the process.", (thread) => shownId(thread.pid)),
    id(
      "proc.vpid",
      "Id of the process in its own pid namespace.",
      (thread) => thread.vpid === -1 ? undefined : thread.vpid,
    ),
    id("proc.sid", "Id of the session, as seen in the pid namespace.", (thread) => thread.sid),
    id(
      "proc.vpgid",
      "Id of the process group in the pid namespace.",
      (thread) => thread.vpgid,
    ),
    id("proc.pgid", "Id of the process group, as the host has it.", (thread) => thread.pgid),
    {
      name: "proc.is_sid_leader",
      type: "BOOL",
      description: "Whether the process leads its session.",
      ...thread,
      extract: ofThread((thread) => thread.sid === thread.vpid),
    },
    {
      name: "proc.is_vpgid_leader",
      type: "BOOL",
      description: "Whether the process leads its process group, by ids of the namespace.",
      ...thread,
      extract: ofThread((thread) => thread.vpgid === thread.vpid),
    },
    {
      name: "proc.is_pgid_leader",
      type: "BOOL",
      description: "Whether the process leads its process group, by ids of the host.",
      ...thread,
      extract: ofThread((thread) => thread.pgid === thread.pid),
    },
  ]);
}

/** A point in time or a number that 0 stands for the lack of. */
export function unlessZero(value: bigint): Value {
  return value === 0n ? undefined : exact(value);
}

function times(): Field[] {
  return fields("process", [
    {
      name: "proc.duration",
      type: "RELTIME",
      format: "DEC",
      description: "Nanoseconds since the process began.",
      extract: ofThread((thread, { event }) =>
        thread.cloneTs === 0n ? undefined : event.time() - thread.cloneTs
      ),
    },
    {
      name: "proc.pid.ts",
      type: "RELTIME",
      format: "DEC",
      description: "When the process began, ns since the epoch.",
      ...thread,
      extract: ofThread((thread) => unlessZero(thread.cloneTs)),
    },
    {
      name: "proc.exe_ino",
      type: "INT64",
      format: "DEC",
      description: "Inode number of the program's file.",
      ...thread,
      extract: ofThread((thread) => unlessZero(thread.exeIno)),
    },
    {
      name: "proc.exe_ino.ctime",
      type: "ABSTIME",
      format: "DEC",
      description: "When the inode of the program's file last changed, ns since the epoch.",
      ...thread,
      extract: ofThread((thread) => unlessZero(thread.exeInoCtime)),
    },
    {
      name: "proc.exe_ino.mtime",
      type: "ABSTIME",
      format: "DEC",
      description: "When the content of the program's file last changed, ns since the epoch.",
      ...thread,
      extract: ofThread((thread) => unlessZero(thread.exeInoMtime)),
    },
    {
      name: "proc.exe_ino.ctime_duration_proc_start",
      type: "ABSTIME",
      format: "DEC",
      description:
        "Nanoseconds from the last change of the program's inode to the process's start.",
      ...thread,
      extract: ofThread((thread) => unlessZero(thread.exeAgeAtStart)),
    },
    {
      name: "proc.exe_ino.ctime_duration_pidns_start",
      type: "ABSTIME",
      format: "DEC",
      description: "Nanoseconds from the start of the pid namespace to the last change of the " +
        "program's inode.",
      ...thread,
      extract: ofThread((thread) => unlessZero(thread.exeAgeInPidns)),
    },
    {
      name: "proc.pidns_init_start_ts",
      type: "UINT64",
      format: "DEC",
      description: "When the pid namespace began, as the kernel tells it; none for the host's.",
      ...thread,
      extract: ofThread((thread) => unlessZero(thread.pidnsInitStartTs)),
    },
  ]);
}

function flags(): Field[] {
  const flag = (name: string, bit: ThreadFlag, description: string): Row => ({
    name,
    type: "BOOL",
    description,
    domain: "thread",
    extract: ofThread((thread) => (thread.flags & bit) !== 0),
  });
  return fields("process", [
    flag(
      "proc.is_exe_writable",
      ThreadFlag.ExeWritable,
      "Whether the user who runs the program may write to its file.",
    ),
    flag(
      "proc.is_exe_upper_layer",
      ThreadFlag.ExeUpperLayer,
      "Whether the program's file is in the upper layer of an overlay, so was made or changed " +
        "in the container.",
    ),
    flag(
      "proc.is_exe_lower_layer",
      ThreadFlag.ExeLowerLayer,
      "Whether the program's file is in a lower layer of an overlay.",
    ),
    flag(
      "proc.is_exe_from_memfd",
      ThreadFlag.ExeFromMemfd,
      "Whether the program has no file but an area of memory (memfd).",
    ),
  ]);
}
