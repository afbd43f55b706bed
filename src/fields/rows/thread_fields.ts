// Fields of the thread itself: ids, rights, resources, cgroups, standard descriptors.
import { FD_TYPES } from "../../state/tables/fd.ts";
import type { Thread } from "../../state/tables/thread.ts";
import { cgroups } from "../text/arguments_text.ts";
import type { Field } from "../row/field.ts";
import { capabilityNames } from "../text/names.ts";
import { exact } from "../text/param_values.ts";
import { ofThread } from "./proc.ts";
import { fields, type Row, withArgument } from "../row/row.ts";

export function threadFields(): Field[] {
  return [
    ...rights(),
    ...resources(),
    ...ids(),
    ...processorTime(),
    ...cgroupFields(),
    ...standardDescriptors(),
  ];
}

function rights(): Field[] {
  const set = (name: string, which: string, read: (thread: Thread) => bigint): Row => ({
    name,
    type: "CHARBUF",
    description: `Names of the ${which} capabilities of the thread.`,
    domain: "thread",
    extract: ofThread((thread) => capabilityNames(read(thread))),
  });
  return fields("process", [
    set("thread.cap_permitted", "permitted", (thread) => thread.capPermitted),
    set("thread.cap_inheritable", "inheritable", (thread) => thread.capInheritable),
    set("thread.cap_effective", "effective", (thread) => thread.capEffective),
  ]);
}

/** Sizes change without the thread's version: they depend on the event. */
function resources(): Field[] {
  const number = (name: string, description: string, extract: Row["extract"]): Row => ({
    name,
    type: "UINT64",
    format: "DEC",
    description,
    extract,
  });
  return fields("process", [
    number(
      "proc.fdopencount",
      "Number of descriptors that the process has open.",
      ofThread((_, { process }) => process?.fds?.size ?? 0),
    ),
    {
      name: "proc.fdlimit",
      type: "INT64",
      format: "DEC",
      description: "Number of descriptors that the process may have open.",
      extract: ofThread((_, { process }) => process === undefined ? 0 : exact(process.fdLimit)),
    },
    {
      name: "proc.fdusage",
      type: "DOUBLE",
      description: "Open descriptors in percent of the limit.",
      extract: ofThread((_, { process }) => {
        const limit = Number(process?.fdLimit ?? 0n);
        const open = process?.fds?.size ?? 0;
        if (limit <= 0) return 0;
        return open <= limit ? open * 100 / limit : 100;
      }),
    },
    number("proc.vmsize", "Virtual memory of the process in kB.", ofThread((t) => t.vmSizeKb)),
    number("proc.vmrss", "Resident memory of the process in kB.", ofThread((t) => t.vmRssKb)),
    number("proc.vmswap", "Swapped memory of the process in kB.", ofThread((t) => t.vmSwapKb)),
    number(
      "thread.pfmajor",
      "Page faults that waited for a disk, since the thread began.",
      ofThread((thread) => exact(thread.pageFaultsMajor)),
    ),
    number(
      "thread.pfminor",
      "Other page faults since the thread began.",
      ofThread((thread) => exact(thread.pageFaultsMinor)),
    ),
    number(
      "thread.vmsize",
      "Virtual memory in kB on the main thread, 0 on others.",
      ofThread((thread) => thread.isMain ? thread.vmSizeKb : 0),
    ),
    number(
      "thread.vmrss",
      "Resident memory in kB on the main thread, 0 on others.",
      ofThread((thread) => thread.isMain ? thread.vmRssKb : 0),
    ),
    {
      ...number(
        "thread.vmsize.b",
        "thread.vmsize in bytes.",
        ofThread((thread) => thread.isMain ? thread.vmSizeKb * 1024 : 0),
      ),
      flags: ["hidden"],
    },
    {
      ...number(
        "thread.vmrss.b",
        "thread.vmrss in bytes.",
        ofThread((thread) => thread.isMain ? thread.vmRssKb * 1024 : 0),
      ),
      flags: ["hidden"],
    },
    number(
      "proc.nthreads",
      "Number of living threads of the process.",
      ofThread((thread) => thread.group?.alive ?? 0),
    ),
    number(
      "proc.nchilds",
      "Number of living threads of the process besides the main one.",
      ofThread(({ group }) => {
        if (group === undefined) return 0;
        const isMainAlive = group.main !== undefined && !group.main.isDead;
        return isMainAlive ? group.alive - 1 : group.alive;
      }),
    ),
  ]);
}

function ids(): Field[] {
  return fields("process", [
    {
      name: "thread.tid",
      type: "INT64",
      format: "ID",
      description: "Id of the thread.",
      extract: ({ event }) => event.tid >= -1 && event.tid <= 0xffffffff ? event.tid : undefined,
    },
    {
      name: "thread.ismain",
      type: "BOOL",
      description: "Whether the thread is the main one of its process.",
      domain: "thread",
      extract: ofThread((thread) => thread.isMain),
    },
    {
      name: "thread.vtid",
      type: "INT64",
      format: "ID",
      description: "Id of the thread in its pid namespace.",
      domain: "thread",
      extract: ofThread((thread) => thread.vtid === -1 ? undefined : thread.vtid),
    },
    {
      name: "thread.nametid",
      type: "CHARBUF",
      flags: ["hidden"],
      description: "proc.name and thread.tid in one.",
      extract: ofThread((thread, { machine, event }) =>
        `${machine.strings.text(thread.comm) ?? ""}${event.tid}`
      ),
    },
  ]);
}

/** Falco fills these from events that it no longer records: they are constant. */
function processorTime(): Field[] {
  return fields("process", [
    {
      name: "thread.exectime",
      type: "RELTIME",
      format: "DEC",
      description: "Nanoseconds on the CPU, on switch events only; else 0.",
      extract: () => 0n,
    },
    {
      name: "thread.totexectime",
      type: "RELTIME",
      format: "DEC",
      description: "Nanoseconds on the CPU so far, from switch events only; else 0.",
      extract: ofThread(() => 0n),
    },
    ...["thread.cpu", "thread.cpu.user", "thread.cpu.system"].map((name): Row => ({
      name,
      type: "DOUBLE",
      description: "Share of the CPU; events no longer tell of it, so there is never a value.",
      extract: () => undefined,
    })),
  ]);
}

function cgroupFields(): Field[] {
  const one = withArgument(
    "process",
    {
      name: "thread.cgroup",
      type: "CHARBUF",
      description: "The thread's cgroup in the subsystem that follows the last dot.",
      domain: "thread",
    },
    {
      required: true,
      kinds: [],
      afterDot: (rest) => /^[A-Za-z_]*/.exec(rest)![0].length,
    },
    (subsystem) => ({
      extract: ofThread((thread, { machine }) =>
        cgroups(machine, thread).find(([name]) => name === subsystem)?.[1]
      ),
    }),
  );
  const all = fields("process", [{
    name: "thread.cgroups",
    type: "CHARBUF",
    description: "All cgroups of the thread as subsystem=path.",
    domain: "thread",
    extract: ofThread((thread, { machine }) => {
      const list = cgroups(machine, thread);
      if (list.length === 0) return undefined;
      return list.map(([name, path]) => `${name}=${path}`).join(" ");
    }),
  }]);
  return [...all, one];
}

function standardDescriptors(): Field[] {
  const streams = [["stdin", "input"], ["stdout", "output"], ["stderr", "error output"]] as const;
  return fields(
    "process",
    streams.flatMap(([name, what], number): Row[] => [
      {
        name: `proc.${name}.type`,
        type: "CHARBUF",
        description: `fd.type of the standard ${what} (descriptor ${number}).`,
        extract: ofThread((thread, { machine }) => {
          const fd = machine.fdsOf(thread)?.get(number);
          return fd && (FD_TYPES[fd.kind] || "<NA>");
        }),
      },
      {
        name: `proc.${name}.name`,
        type: "CHARBUF",
        description: `fd.name of the standard ${what} (descriptor ${number}).`,
        extract: ofThread((thread, context) => {
          const { machine } = context;
          const fd = machine.fdsOf(thread)?.get(number);
          return fd && machine.strings.text(context.nameOf(fd));
        }),
      },
    ]),
  );
}
