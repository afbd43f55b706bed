// Falco's measures of events and tables, from the engine's shared numbers. Where saker has no such
// thing (it pairs no entered with left calls, has no iterators in the kernel), the number is 0, as
// it is: docs/metrics.md says which those are.
import { dropKinds } from "../engine/contract/drop_kinds.ts";
import { Counter, type Counters } from "../engine/contract/counters.ts";
import type { Tallies } from "../engine/contract/tallies.ts";
import type { Measure } from "./measure.ts";

/** Kinds of which Falco still shows a constant 0 for `dir="enter"`. */
export const ENTER_KINDS = [
  "clone_fork",
  "execve",
  "connect",
  "open",
  "dir_file",
  "other_interest",
] as const;

const COUNT = { unit: "count", kind: "counter" } as const;

export function kernelMeasures(counters: Counters): Measure[] {
  const lost = counters.get(Counter.LostCritical) + counters.get(Counter.LostBulk);
  const kernel = (name: string, value: number): Measure => ({
    ...COUNT,
    name,
    value,
    group: "kernel",
  });
  const drops = dropKinds(counters).map(([kind, value]) =>
    kernel(`n_drops_buffer_${kind}_exit`, value)
  );
  return [
    // Falco counts an event before it finds a place in a ring.
    kernel("n_evts", counters.get(Counter.SourceEvents) + lost),
    kernel("n_drops_buffer_total", lost),
    ...drops,
    kernel("n_drops_scratch_map", 0),
    kernel("n_drops", lost),
  ];
}

export function cpuMeasures({ cpuEvents, cpuLostCritical, cpuLostBulk }: Tallies): Measure[] {
  return [...cpuEvents].flatMap((events, cpu) => {
    const lost = cpuLostCritical[cpu]! + cpuLostBulk[cpu]!;
    const of = { ...COUNT, group: "cpu", of: `${cpu}` } as const;
    return [
      { ...of, name: "n_evts_cpu", value: events + lost },
      { ...of, name: "n_drops_cpu", value: lost },
    ];
  });
}

/** Of programs that ran: all of them have zeros where the kernel does not count. */
export function programMeasures({ programs, runs, runNs }: Tallies): Measure[] {
  const group = "programs";
  return programs.flatMap((of, at): Measure[] => {
    const [count, ns] = [runs[at]!, runNs[at]!];
    if (count === 0) return [];
    return [
      { ...COUNT, group, of, name: "run_cnt", value: count },
      { group, of, name: "run_time_ns", unit: "total_nanoseconds", kind: "counter", value: ns },
      {
        group,
        of,
        name: "avg_time_ns",
        unit: "nanoseconds",
        kind: "gauge",
        value: Math.round(ns / count),
      },
    ];
  });
}

export function stateMeasures(counters: Counters): Measure[] {
  const get = (place: (typeof Counter)[keyof typeof Counter]) => counters.get(place);
  const state = (name: string, value: number): Measure => ({
    ...COUNT,
    name,
    value,
    group: "state",
  });
  return [
    { ...state("n_threads", get(Counter.Threads)), kind: "gauge" },
    { ...state("n_fds", get(Counter.Fds)), kind: "gauge" },
    state("n_noncached_fd_lookups", 0),
    state("n_cached_fd_lookups", 0),
    state("n_failed_fd_lookups", get(Counter.FdLookupsFailed)),
    state("n_added_fds", get(Counter.FdsAdded)),
    state("n_removed_fds", get(Counter.FdsRemoved)),
    state("n_stored_evts", 0),
    state("n_store_evts_drops", get(Counter.EntriesDropped)),
    state("n_retrieved_evts", 0),
    state("n_retrieve_evts_drops", 0),
    state("n_noncached_thread_lookups", 0),
    state("n_cached_thread_lookups", 0),
    state("n_failed_thread_lookups", get(Counter.ThreadLookupsFailed)),
    state("n_added_threads", get(Counter.ThreadsAdded)),
    state("n_removed_threads", get(Counter.ThreadsRemoved)),
    state("n_drops_full_threadtable", get(Counter.ThreadsRefused)),
  ];
}

/** Falco's iterators in the kernel; saker reads /proc instead. */
export const ITERATOR_MEASURES: readonly Measure[] = [
  ..."n_evts n_drops".split(" ").flatMap((what) => [
    `${what}_task`,
    ...(
      "pipe memfd regular directory socket_inet socket_inet6 socket_unix socket_netlink anon_inode"
    ).split(" ").map((file) => `${what}_task_file_${file}`),
  ]),
  "n_drops_max_event_size",
].map((name) => ({ ...COUNT, group: "iterators", name, value: 0 }));
