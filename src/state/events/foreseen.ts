// The thread that an event will make, or make another program of, before it is applied: what the
// sieve over captures asks of processes that the tables were not told of. In: an event of the clone
// family or of exec. Out: a thread with the fields that src/sieve/thread_parts.ts names, those of
// executions too, since it may execute in vain; the tables stay as they are.
import type { Event } from "../../events/event.ts";
import { codeOf, positionsOf } from "../../events/table.ts";
import type { Tables } from "../tables/tables.ts";
import { Thread } from "../tables/thread.ts";
import { argsAtBirth, INHERITED } from "./clone_events.ts";
import { EXE_FLAGS } from "./exec_events.ts";

const EXECUTIONS = ["SYSCALL_EXECVE_19_X", "SYSCALL_EXECVEAT_X"];
const EXECUTION_CODES: ReadonlySet<number> = new Set(EXECUTIONS.map(codeOf));
const EXECUTION = positionsOf(
  EXECUTIONS,
  ...["exe", "args", "pid", "ptid", "comm", "cgroups", "env", "tty", "flags", "uid"] as const,
  ...["trusted_exepath", "gid"] as const,
);
const BIRTH = positionsOf(
  ["SYSCALL_CLONE_20_X", "SYSCALL_CLONE3_X", "SYSCALL_FORK_20_X", "SYSCALL_VFORK_20_X"],
  ...["res", "exe", "args", "ptid", "comm", "cgroups", "uid", "gid"] as const,
);
/** Where one of these is missing nothing is told; arguments may be. What was said of an execution
 * is remembered by these (bindings-rs/src/sieve/executions.rs): one more here is one more there. */
const NEEDED: readonly number[] = Object.values(EXECUTION).filter((at) => at !== EXECUTION.args);
const NEEDED_AT_BIRTH: readonly number[] = Object.values(BIRTH).filter((at) => at !== BIRTH.args);

export function foresee(tables: Tables, event: Event): Thread | undefined {
  return EXECUTION_CODES.has(event.code) ? executed(tables, event) : born(tables, event);
}

function executed(tables: Tables, event: Event): Thread | undefined {
  if (!NEEDED.every((param) => event.has(param))) return undefined;
  const { exe, args, pid, ptid, comm, cgroups, env, tty, flags, uid, gid } = EXECUTION;
  // Fields of another than a process's main thread look at that one too.
  if (event.int64(pid) !== event.tid) return undefined;
  const thread = new Thread(event.tid, event.tid);
  thread.ptid = event.int64(ptid);
  thread.exe = tables.text(event, exe);
  thread.comm = tables.text(event, comm);
  thread.exepath = tables.paths.withoutDeleted(tables.text(event, EXECUTION.trusted_exepath));
  thread.cgroups = tables.text(event, cgroups);
  thread.containerId = tables.containers.match(thread.cgroups);
  thread.args = bytesOf(event, args);
  thread.env = bytesOf(event, env);
  thread.tty = event.uint32(tty);
  thread.uid = event.uint32(uid);
  thread.gid = event.uint32(gid);
  const set = event.uint32(flags);
  for (const [bit, flag] of EXE_FLAGS) if (set & bit) thread.flags |= flag;
  return thread;
}

function bytesOf(event: Event, param: number): Uint8Array {
  const from = event.param(param);
  return event.bytes.slice(from, from + event.paramLength(param));
}

function born(tables: Tables, event: Event): Thread | undefined {
  const { res, exe, args, ptid, comm, cgroups, uid, gid } = BIRTH;
  if (!NEEDED_AT_BIRTH.every((param) => event.has(param))) return undefined;
  const isOwn = event.int64(res) === 0;
  const model = tables.threads.get(isOwn ? event.int64(ptid) : event.tid);
  if (model === undefined || model.isInvalid) return undefined;
  const tid = isOwn ? event.tid : event.int64(res);
  const thread = new Thread(tid, tid);
  thread.ptid = model.tid;
  thread.exe = tables.text(event, exe, model.exe);
  thread.comm = tables.text(event, comm, model.comm);
  thread.exepath = model.exepath;
  thread.cgroups = tables.text(event, cgroups, model.cgroups);
  thread.containerId = tables.containers.match(thread.cgroups);
  // Executions in vain are asked these; bindings-rs/src/sieve/failures.rs takes what an event tells
  // of them for what a child has not of its parent.
  thread.args = argsAtBirth(event, args, model.args);
  thread.env = model.env;
  thread.tty = model.tty;
  thread.uid = event.uint32(uid);
  thread.gid = event.uint32(gid);
  thread.flags = model.flags & INHERITED;
  return thread;
}
