// For tests and pictures: the status of a saker that never was, and its last ten minutes.
import type { SeriesAnswer } from "../told/answers.ts";
import type { StatusShown } from "./status_shown.ts";

export const STATUS: StatusShown = {
  status: "degraded",
  reason: "rules were refused",
  degraded: ["rules were refused"],
  saker_version: "0.1.0",
  hostname: "made-up",
  uptime_s: 7300,
  driver: {
    name: "modern_ebpf",
    programs: {
      attached: 95,
      wanted: 96,
      refused: [{ program: "lineage", reason: "no such hook" }],
    },
  },
  events: {
    judged: 8_123_456,
    per_second: 1234.4,
    passed_over: 91_000_000,
    passed_over_per_second: 20_345,
    last_event_age_s: 0,
  },
  lost: {
    per_second: 0,
    by_lane: { critical: 2, bulk: 118 },
    by_event: { openat: 118, clone: 2 },
    journal: {
      entries: [{
        from: "2026-11-27T03:10:11.000Z",
        until: "2026-11-27T03:10:13.000Z",
        critical: 2,
        bulk: 118,
        by_event: { openat: 118, clone: 2 },
      }],
      left_off: 0,
    },
  },
  processes: {
    seconds: 10,
    list: [
      { pid: 812, name: "postgres", exepath: "/usr/bin/postgres", container: "", per_second: 611 },
      {
        pid: 4321,
        name: "nginx",
        exepath: "/usr/sbin/nginx",
        container: "3f2a9c41d0be",
        per_second: 204,
      },
    ],
  },
  latency_ms: {
    alert_to_output: { count: 12, p50: 0.9, p99: 4.2, max: 11 },
    event_to_engine: { count: 8_123_456, p50: 0.06, p99: 1.9, max: 31 },
  },
  alerts: { raised: 12, per_second: 0, dropped: 0 },
  outputs: [
    { name: "stdout", state: "ok", waiting: 0, written: 12, dropped: 0 },
    {
      name: "http",
      state: "failing",
      reason: "connection refused",
      waiting: 3,
      written: 9,
      dropped: 0,
    },
  ],
  rules: { in_force: 96 },
  memory: { resident_bytes: 143_000_000 },
};

const STEPS = Array.from({ length: 600 }, (_, at) => at);
const UNTIL_MS = Date.UTC(2026, 10, 27, 3, 20);
/** Waves that look like a host at work. */
const wave = (base: number, share: number) =>
  STEPS.map((at) => base * (1 + share * Math.sin(at / 23) + share / 2 * Math.sin(at / 3.1)));

export const SERIES: SeriesAnswer = {
  step_s: 1,
  at_ms: STEPS.map((at) => UNTIL_MS - (599 - at) * 1000),
  events: wave(1200, 0.4),
  passed_over: wave(20_000, 0.3),
  lost_critical: STEPS.map((at) => at === 12 ? 2 : 0),
  lost_bulk: STEPS.map((at) => at > 10 && at < 14 ? 40 : 0),
  alerts: STEPS.map((at) => at % 97 === 0 ? 1 : 0),
  event_to_engine_p50: wave(0.06, 0.3),
  event_to_engine_p99: wave(1.6, 0.5),
  alert_to_output_p50: STEPS.map((at) => at % 97 === 0 ? 0.9 : null),
  alert_to_output_p99: STEPS.map((at) => at % 97 === 0 ? 1.5 + (at % 7) / 3 : null),
  by_type: { openat: wave(600, 0.4), execve: wave(11, 0.9) },
};
