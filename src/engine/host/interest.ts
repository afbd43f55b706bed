// Which events the kernel should record at all: those that a rule can match, those that keep the
// tables right, and what base_syscalls asks for or takes away. Names go in, event codes come out.
import { type EventInfo, EVENTS, SYSCALLS } from "../../events/table.ts";
import { stateCodes } from "../../state/events/handlers.ts";

export interface InterestOptions {
  /** Names of events that the loaded rules can match. */
  readonly eventNames: ReadonlySet<string>;
  /** Those of them that a rule asks for by name. */
  readonly namedEvents?: ReadonlySet<string>;
  readonly customSet: readonly string[];
  readonly repair: boolean;
  readonly all: boolean;
}

export interface Interest {
  /** Event codes, and GENERIC_CALL + sc for calls without an event of their own. */
  readonly codes: ReadonlySet<number>;
  /** Names of `base_syscalls.custom_set` that no system call has. */
  readonly unknownNames: readonly string[];
  /** Events that rules want and that are not recorded. */
  readonly notRecorded: readonly string[];
}

/** Data that flows: recorded only where base_syscalls.all or a rule by name asks for it. */
const IO_CALLS = new Set(
  "pread64 preadv pwrite64 pwritev read readv recv send sendfile sendfile64 write writev"
    .split(" "),
);

/**
 * Calls that change the tables by so little that saker, unlike Falco, records them only where a
 * rule wants them: a closed descriptor's entry stands until its number is used again, which only
 * a call on a closed descriptor (that fails) could see; the others tell more of a socket whose
 * rule would have to name them.
 */
const NOT_NEEDED = new Set(
  "close close_range recvfrom recvmsg recvmmsg sendto sendmsg sendmmsg shutdown getsockopt"
    .split(" "),
);

const REPAIR_ALWAYS = (
  "clone clone3 fork vfork execve execveat fchdir chdir chroot capset setgid setgid32 setpgid " +
  "setresgid setresgid32 setresuid setresuid32 setsid setuid setuid32 prctl"
).split(" ");

export function interestOf(options: InterestOptions): Interest {
  const { eventNames, customSet, repair, all } = options;
  const positive = customSet.filter((name) => !name.startsWith("!"));
  const negative = customSet.filter((name) => name.startsWith("!")).map((name) => name.slice(1));
  const unknownNames = [...positive, ...negative].filter((name) =>
    !CALL_CODES.has(name) && !GENERIC_CALLS.has(name) && !TRACED.has(name)
  );

  const wanted = callsOf(eventNames);
  let names = new Set(wanted);
  const base = positive.filter((name) => !unknownNames.includes(name));
  if (base.length > 0) names = names.union(new Set(base.filter((name) => CALL_CODES.has(name))));
  else if (repair) names = names.union(repairSet(names));
  else names = names.union(STATE_CALLS);
  for (const name of negative) names.delete(name);
  if (!all) {
    const asked = callsOf(options.namedEvents ?? new Set());
    for (const name of IO_CALLS) if (!asked.has(name)) names.delete(name);
  }
  if (base.length > 0 && repair) names = names.union(repairSet(names));

  const codes = new Set([PROCESS_EXIT]);
  for (const name of names) {
    const code = CALL_CODES.get(name);
    if (code !== undefined) codes.add(code);
  }
  for (const name of eventNames.union(new Set(base))) {
    const sc = GENERIC_CALLS.get(name);
    if (sc !== undefined && !negative.includes(name)) codes.add(GENERIC_CALL + sc);
  }
  for (const event of EVENTS) {
    if (!isCall(event) && isCurrent(event) && eventNames.has(event.name)) codes.add(event.code);
  }
  for (const name of base) if (TRACED.has(name)) codes.add(TRACED.get(name)!);
  for (const name of negative) if (TRACED.has(name)) codes.delete(TRACED.get(name)!);
  const recorded = new Set([...codes].map((code) => EVENTS[code]?.name));
  const notRecorded = [...wanted].filter((name) =>
    !names.has(name) && !recorded.has(EVENTS[CALL_CODES.get(name)!]!.name)
  );
  return { codes, unknownNames, notRecorded };
}

/** Event code of the exit event of each call that has an event of its own. */
const CALL_CODES: ReadonlyMap<string, number> = new Map(
  SYSCALLS.flatMap((call) => call.exit === undefined ? [] : [[call.name, call.exit] as const]),
);

/** Tracepoints that are no calls, by Falco's names for them and by their events'. */
const TRACED: ReadonlyMap<string, number> = new Map(
  Object.entries({
    signaldeliver: "SIGNALDELIVER_E",
    signal_deliver: "SIGNALDELIVER_E",
    page_fault: "PAGE_FAULT_E",
    page_fault_user: "PAGE_FAULT_E",
    page_fault_kernel: "PAGE_FAULT_E",
    switch: "SCHEDSWITCH_6_E",
    sched_switch: "SCHEDSWITCH_6_E",
  }).map(([name, id]) => [name, EVENTS.find((event) => event.id === id)!.code]),
);

/** Added to a call's number (SyscallInfo.sc), it asks the driver for that call's generic event. */
export const GENERIC_CALL = 0x8000;

/** Numbers of the calls that have no event of their own. */
const GENERIC_CALLS: ReadonlyMap<string, number> = new Map(
  SYSCALLS.filter(({ exit }) => exit === undefined).map(({ name, sc }) => [name, sc]),
);

const PROCESS_EXIT = EVENTS.find((event) => event.name === "procexit" && isCurrent(event))!.code;

/** Names of the events that are recorded under base_syscalls.all or by name only, sorted. */
export function ignoredEventNames(): string[] {
  const known = new Set(EVENTS.map((event) => event.name));
  const names = [...IO_CALLS].map((name) => {
    const code = CALL_CODES.get(name);
    return code === undefined ? name : EVENTS[code]!.name;
  });
  return [...new Set(names)].filter((name) => known.has(name)).sort();
}

/** Calls that the event table marks so, but for those of which no table takes anything. */
const STATE_CODES: ReadonlySet<number> = new Set(stateCodes());

/** Calls whose events keep the tables of threads, descriptors and users right. */
const STATE_CALLS: ReadonlySet<string> = new Set(
  [...CALL_CODES].filter(([name, code]) =>
    STATE_CODES.has(code) && !NOT_NEEDED.has(name) && !IO_CALLS.has(name)
  ).map(([name]) => name),
);

/** An event's name can stand for several calls, such as `pread` for pread64. */
function callsOf(eventNames: ReadonlySet<string>): Set<string> {
  return new Set(
    [...CALL_CODES].filter(([name, code]) =>
      eventNames.has(EVENTS[code]!.name) || eventNames.has(name)
    ).map(([name]) => name),
  );
}

/** What Falco adds to a small set so that its tables stay right enough for the rules. */
function repairSet(names: ReadonlySet<string>): Set<string> {
  const repaired = new Set(REPAIR_ALWAYS);
  const events = [...names].map((name) => EVENTS[CALL_CODES.get(name)!]!);
  const network = events.some((event) => event.category === "net");
  const files = events.some((event) =>
    event.category === "file" || event.category.startsWith("io_")
  );
  if (network) ["socket", "getsockopt", "close"].forEach((name) => repaired.add(name));
  if (names.has("accept") || names.has("accept4") || names.has("listen")) repaired.add("bind");
  if (files) repaired.add("close");
  return repaired;
}

function isCall(event: EventInfo): boolean {
  return event.kind.includes("syscall");
}

function isCurrent(event: EventInfo): boolean {
  return !event.flags.has("old_version") && !event.flags.has("unused");
}

/** What there is to say of events that are wanted and not recorded. */
export function interestWarnings({ unknownNames, notRecorded }: Interest): string[] {
  const warnings: string[] = [];
  if (unknownNames.length > 0) {
    warnings.push(
      `Warning: base_syscalls.custom_set: no such system call: ${unknownNames.join(", ")}`,
    );
  }
  if (notRecorded.length > 0) {
    warnings.push(
      "Loaded rules match syscalls that are not activated (base_syscalls): warning " +
        `(unsupported-evttype): ${notRecorded.join(", ")}`,
    );
  }
  return warnings;
}
