// The page of many hosts that never were, for its picture: no nats-server and no process of this
// machine is on it. Times are from the moment in which it is made.
import { WHOLE_JSON } from "../../src/alerts/format/format.ts";
import type { Presence } from "../../src/fleet/contract/presence.ts";
import { makeFleetApp } from "../../src/fleet/fleet_app.tsx";
import { FleetSearches } from "../../src/fleet/read/fleet_searches.ts";
import { HostTable } from "../../src/fleet/read/host_table.ts";
import { RuleTally } from "../../src/fleet/read/rule_tally.ts";
import { Rights } from "../../src/server/rights.ts";
import { serve, type Server } from "../../src/server/serve.ts";
import { Sessions } from "../../src/server/sessions.ts";
import { AlertStream } from "../../src/server/stream/alert_stream.ts";

const NAMES = ["web", "db", "build", "edge", "cache"];
const HOSTS = 48;
const [SUM, SUM_BEFORE] = ["3f9c51e07ab2", "b80417d2c6ef"].map((text) => text.padEnd(64, "0"));

interface MadeUp {
  readonly presence: Presence;
  /** How long ago it told, ms. */
  readonly agoMs: number;
  /** Its losses of before that, where they have grown. */
  readonly lostBefore?: number;
}

/** The first few are in trouble, each of another kind. */
function madeUpHost(at: number, nowMs: number): MadeUp {
  const isoOf = (ago: number) => new Date(nowMs - ago).toISOString();
  const lost = at === 1 ? 1_204 : 0;
  const agoMs = at === 0 ? 1_860_000 : 1_000 + (at * 7_919) % 28_000;
  return {
    agoMs,
    ...(lost > 0 ? { lostBefore: 900 } : {}),
    presence: {
      host: `${NAMES[at % NAMES.length]}-${1 + Math.floor(at / NAMES.length)}.example`,
      version: "0.1.0",
      state: at === 4 ? "stopped" : "running",
      started: isoOf(86_400_000 + at * 3_600_000),
      at: isoOf(agoMs),
      every: 30,
      engine: { kind: "modern_ebpf" },
      rules: {
        sum: (at === 2 ? SUM_BEFORE : SUM)!,
        count: 93,
        rollout: { name: "fleet", serial: at === 2 ? 7 : 8 },
        refused: at === 2 ? { serial: 8, why: "rules.yaml:3: unknown field ka.vreb" } : null,
      },
      config: null,
      events: { seen: 4_000_000 + at * 91_337, lost, kept_back: 0 },
      alerts: { total: (at * 7_919) % 173, by_priority: {}, by_rule: {} },
      outputs: [{ name: "nats", state: "ok", waiting: 0, dropped: at === 3 ? 17 : 0 }],
      cpu_percent: 0.4 + (at % 7) / 10,
      memory_bytes: (118 + at % 40) << 20,
    },
  };
}

export function serveFleetPage(): { readonly server: Server; close(): Promise<void> } {
  const nowMs = Date.now();
  const hosts = new HostTable(nowMs - 1_000);
  for (let at = 0; at < HOSTS; at++) {
    const { presence, agoMs, lostBefore } = madeUpHost(at, nowMs);
    const { host, events } = presence;
    if (lostBefore !== undefined) {
      const before = { ...presence, events: { ...events, lost: lostBefore } };
      hosts.take(host, host, before, nowMs - agoMs - 30_000);
    }
    hosts.take(host, host, presence, nowMs - agoMs);
  }
  hosts.tick(nowMs);
  const alerts = new AlertStream({ format: WHOLE_JSON });
  const sessions = new Sessions();
  const connection = () => undefined;
  const searches = new FleetSearches({ stream: "SAKER", subject: "saker.alerts", connection });
  const app = makeFleetApp({
    title: "fleet of SAKER",
    ...{ hosts, alerts, searches, sessions },
    tally: new RuleTally(),
    stats: () => ({ trouble: undefined, alerts: 0, unreadable: 0 }),
    counting: () => ({ name: undefined, trouble: undefined, behind: 0 }),
    alertOf: () => Promise.resolve(undefined),
    names: [],
    rights: new Rights({
      token: undefined,
      insecure: false,
      mayAct: [Deno.uid() ?? 0],
      mayAllFollow: false,
      sessions,
    }),
  });
  const server = serve(app, { address: "127.0.0.1", port: 0, hint: "" });
  return {
    server,
    async close(): Promise<void> {
      alerts.close();
      await server.close();
    },
  };
}
