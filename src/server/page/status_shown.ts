// The parts of /status that the page shows, by the names that they have there.
import type { HealthStatus } from "../health.ts";

export interface StatusShown {
  readonly status: HealthStatus;
  readonly reason?: string;
  readonly degraded: readonly string[];
  readonly saker_version: string;
  readonly hostname: string;
  readonly uptime_s: number;
  readonly driver: {
    readonly name: string;
    readonly programs: {
      readonly attached: number;
      readonly wanted: number;
      readonly refused: readonly { readonly program: string; readonly reason: string }[];
    };
  };
  readonly events: {
    readonly judged: number;
    readonly per_second: number | null;
    readonly passed_over: number;
    readonly passed_over_per_second: number | null;
    readonly last_event_age_s: number | null;
  };
  readonly lost: {
    readonly per_second: number | null;
    readonly by_lane: { readonly critical: number; readonly bulk: number };
    readonly by_event: Readonly<Record<string, number>>;
    readonly journal?: {
      readonly entries: readonly {
        readonly from: string;
        readonly until: string;
        readonly critical: number;
        readonly bulk: number;
        readonly by_event: Readonly<Record<string, number>>;
      }[];
      readonly left_off: number;
    };
  };
  readonly processes?: {
    readonly seconds: number;
    readonly list: readonly {
      readonly pid: number;
      readonly name: string;
      readonly exepath: string;
      readonly container: string;
      readonly per_second: number;
    }[];
  };
  readonly latency_ms: {
    readonly alert_to_output: Percentiles;
    readonly event_to_engine: Percentiles;
  };
  readonly alerts: {
    readonly raised: number;
    readonly per_second: number | null;
    readonly dropped: number;
  };
  readonly outputs: readonly {
    readonly name: string;
    readonly state: string;
    readonly reason?: string;
    readonly waiting: number;
    readonly written: number;
    readonly dropped: number;
    readonly last_error?: { readonly reason: string; readonly ago_s: number };
  }[];
  readonly rules: { readonly in_force: number };
  readonly memory: { readonly resident_bytes: number | null };
}

export interface Percentiles {
  readonly count: number;
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}
