// `saker fleet`: the page over what all hosts write to JetStream, until it is asked to end.
import { WHOLE_JSON } from "../../alerts/format/format.ts";
import type { Alert } from "../../engine/contract/alert.ts";
import { makeFleetApp } from "../../fleet/fleet_app.tsx";
import { FleetFollower } from "../../fleet/read/follow_fleet.ts";
import { FleetSearches } from "../../fleet/read/fleet_searches.ts";
import { HostTable } from "../../fleet/read/host_table.ts";
import { RuleCounter } from "../../fleet/read/rule_counter.ts";
import { RuleTally } from "../../fleet/read/rule_tally.ts";
import { alertAt } from "../../fleet/read/stream_search.ts";
import { parseNatsUrl } from "../../config/address.ts";
import { Rights } from "../../server/rights.ts";
import { serve } from "../../server/serve.ts";
import { Sessions } from "../../server/sessions.ts";
import { AlertStream, BEAT_MS } from "../../server/stream/alert_stream.ts";
import type { Flags } from "../flags.ts";
import { loadConfig } from "../start/load_config.ts";
import { natsOptionsOf } from "../start/nats.ts";
import { webSettings } from "../start/web_settings.ts";
import type { Terminal } from "../terminal.ts";

export interface FleetFlags {
  readonly nats?: readonly string[];
  readonly name?: string;
}

const LISTEN = { address: "127.0.0.1", port: 8766 };
/** Alerts of the stream that are read at the start: as many as are held. */
const HELD = 10_000;
const TIMEOUT_MS = 10_000;
const LOOK_MS = 1_000;
/** What pages have counted. */
const PAGES_BUCKET = "saker_fleet";
/** Of a page: it is a part of keys and of consumers' names. */
const NAME_MAX = 64;

/** Returns the exit code. Throws in one line where the settings cannot be right. */
export async function fleet(
  { nats, name }: FleetFlags,
  flags: Flags,
  terminal: Terminal,
): Promise<number> {
  const { config } = loadConfig(flags, terminal);
  for (const url of nats ?? []) {
    if (parseNatsUrl(url) === undefined) {
      throw new Error(`--nats ${url}: expected nats://HOST[:PORT] or tls://HOST[:PORT]`);
    }
  }
  if (name !== undefined && (name === "" || name.length > NAME_MAX)) {
    throw new Error(
      `--name "${name.slice(0, 2 * NAME_MAX)}": expected 1 to ${NAME_MAX} characters`,
    );
  }
  const access = { ...config.nats_output, ...(nats === undefined ? {} : { url: [...nats] }) };
  const { where, token, warning, webserver } = webSettings(config, {
    listen: flags.listen ?? LISTEN,
  })!;
  const { stream, subject, hosts_bucket: bucket } = config.nats_output;
  const connect = natsOptionsOf("nats_output", access, {
    name: "saker fleet",
    timeoutMs: TIMEOUT_MS,
  });
  const alerts = new AlertStream({ format: WHOLE_JSON });
  const [hosts, tally, sessions] = [new HostTable(Date.now()), new RuleTally(), new Sessions()];
  const counter = new RuleCounter({
    ...{ stream, subject, tally, hosts },
    bucket: PAGES_BUCKET,
    replicas: config.nats_output.replicas,
    name: name ?? `${Deno.hostname()}-${where.port ?? "socket"}`,
    isNamed: name !== undefined,
  });
  const follower = new FleetFollower({
    connect,
    ...{ stream, subject, bucket, hosts, counter },
    held: HELD,
    take: (taken) => alerts.take(taken),
    say: (line) => terminal.error(`saker fleet: ${line}\n`),
  });
  const connection = () => follower.connection;
  const searches = new FleetSearches({ stream, subject, connection });
  const app = makeFleetApp({
    title: `fleet of ${stream}`,
    ...{ hosts, alerts, tally, searches, sessions },
    stats: () => follower.stats(),
    counting: () => counter.stats(),
    async alertOf(sequence): Promise<Alert | undefined> {
      const now = follower.connection;
      if (now === undefined) return undefined;
      return await alertAt(now, { stream, subject }, sequence).catch(() => undefined);
    },
    names: [where.address, ...webserver.allowed_hosts],
    rights: new Rights({
      token,
      insecure: webserver.insecure,
      mayAct: [0, Deno.uid() ?? 0],
      mayAllFollow: webserver.alerts_for === "anyone",
      sessions,
    }),
  });
  const asked = Promise.withResolvers<void>();
  const end = () => asked.resolve();
  const beat = setInterval(() => alerts.beat(), BEAT_MS);
  const look = setInterval(() => searches.tick(performance.now()), LOOK_MS);
  try {
    const server = serve(app, { ...where, hint: "choose another with --listen" });
    const host = server.address.includes(":") ? `[${server.address}]` : server.address;
    const scheme = where.tls === undefined ? "http" : "https";
    if (warning !== undefined) terminal.error(`Warning: ${warning}\n`);
    terminal.error(`saker fleet: ${scheme}://${host}:${server.port}/ shows ${stream}\n`);
    Deno.addSignalListener("SIGINT", end);
    Deno.addSignalListener("SIGTERM", end);
    await asked.promise;
    alerts.close();
    await server.close();
  } finally {
    clearInterval(beat);
    clearInterval(look);
    await searches.close();
    await follower.close();
  }
  return 0;
}
