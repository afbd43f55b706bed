// deno-lint-ignore-file no-console -- A script talks to the person who started it.
// Kubernetes audit events a second through the webhook and from a followed log, beside how long
// alerts on system calls take in the same process meanwhile: idle, then with each of the two.
import { Place } from "../tests/live/trigger.ts";
import { cellsOf, HEADS, machineLoad, row, startTimed, timed } from "./latency_bench/alert_way.ts";
import { sleep, type Watch } from "./live_bench/watchers.ts";

const USAGE = `usage: scripts/bench audit [options]
  --log FILE     audit events, one a line (default: made here)
  --rules FILE   rules on them (default: one that matches every tenth)
  --alerts N     alerts on system calls in each part (500)
  --rate N       of them a second (50)
  SAKER=PATH     another executable than the one that is built`;

/** Events in one body, as an API server has by default at the most. */
const BATCH = 400;
/** Bodies that are under way at once. */
const LANES = 2;
/** Bytes that the log may be ahead of saker. */
const AHEAD_BYTES = 8 << 20;

const RULES = `
- rule: Every tenth
  desc: d
  condition: ka.verb = delete
  output: Deleted (user=%ka.user.name name=%ka.target.name)
  priority: NOTICE
  source: k8s_audit
`;

async function main(args: readonly string[]): Promise<number> {
  const options = parse(args);
  if (options === undefined) {
    console.error(USAGE);
    return 1;
  }
  if (Deno.uid() !== 0) {
    console.error("saker: bench audit needs root");
    return 1;
  }
  const lines = options.log === undefined ? made() : Deno.readTextFileSync(options.log);
  const events = lines.trimEnd().split("\n");
  console.log(`${events.length} events of ${Math.round(lines.length / events.length)} bytes`);
  console.log(machineLoad());
  console.log(row("", [...HEADS, "events/s"]));
  for (const part of ["idle", "webhook", "log"] as const) {
    await using place = new Place();
    const rules = options.rules ?? place.file("audit.yaml");
    if (options.rules === undefined) Deno.writeTextFileSync(rules, RULES);
    const log = place.file("audit.log");
    Deno.writeTextFileSync(log, "");
    const params = part === "log" ? `, open_params: "file://${log}"` : "";
    const plugin = `plugins[]={name: k8saudit${params}}`;
    await using watch = await startTimed(place, ["-r", rules, "-o", plugin]);
    await sleep(2_000);
    const before = await judged(watch);
    const begunMs = performance.now();
    const numbered = { first: 1, alerts: options.alerts, rate: options.rate };
    let endedMs = 0;
    let after = before;
    const took = await timed(watch, place, numbered, async (isOver) => {
      if (part === "webhook") await post(watch, events, isOver);
      if (part === "log") await write(watch, log, lines, isOver);
      after = await judged(watch);
      endedMs = performance.now();
    });
    const rate = (after - before) / ((endedMs - begunMs) / 1000);
    console.log(row(part, [...cellsOf(took, options.alerts), `${Math.round(rate)}`]));
  }
  return 0;
}

async function judged(watch: Watch): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${watch.port}/healthz`);
  const { k8s_audit } = await response.json() as { k8s_audit: { judged: { events: number } } };
  return k8s_audit.judged.events;
}

async function post(watch: Watch, events: readonly string[], isOver: () => boolean) {
  const bodies = Array.from({ length: Math.ceil(events.length / BATCH) }, (_, at) => {
    const items = events.slice(at * BATCH, (at + 1) * BATCH).join(",");
    return `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[${items}]}`;
  });
  const url = `http://127.0.0.1:${watch.port}/k8s-audit`;
  const headers = { "content-type": "application/json" };
  let next = 0;
  const lane = async () => {
    while (!isOver()) {
      const body = bodies[next++ % bodies.length]!;
      const response = await fetch(url, { method: "POST", headers, body });
      await response.body?.cancel();
      if (response.status !== 200) throw new Error(`the webhook answered ${response.status}`);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

async function write(watch: Watch, log: string, lines: string, isOver: () => boolean) {
  const bytes = new TextEncoder().encode(lines);
  const each = bytes.length / (lines.trimEnd().split("\n").length);
  const begun = await judged(watch);
  using file = await Deno.open(log, { append: true });
  for (let written = 0; !isOver();) {
    const read = (await judged(watch) - begun) * each;
    if (written - read > AHEAD_BYTES) await sleep(20);
    else {
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      written += bytes.length;
    }
  }
}

/** A thousand ordinary events. */
function made(): string {
  return Array.from({ length: 1_000 }, (_, at) =>
    JSON.stringify({
      kind: "Event",
      apiVersion: "audit.k8s.io/v1",
      level: "RequestResponse",
      auditID: crypto.randomUUID(),
      stage: "ResponseComplete",
      requestURI: `/api/v1/namespaces/shop/configmaps/${at}?timeout=30s`,
      verb: at % 10 === 0 ? "delete" : "get",
      user: { username: "system:serviceaccount:shop:web", groups: ["system:authenticated"] },
      sourceIPs: ["10.0.0.7"],
      userAgent: "kubectl/v1.32.5 (linux/amd64) kubernetes/9894294",
      objectRef: { resource: "configmaps", namespace: "shop", name: `c-${at}`, apiVersion: "v1" },
      responseStatus: { metadata: {}, code: 200 },
      responseObject: { data: { text: "x".repeat(2_000) } },
      requestReceivedTimestamp: "2026-11-26T12:00:00.000000Z",
      stageTimestamp: "2026-11-26T12:00:00.100000Z",
    }) + "\n").join("");
}

interface Options {
  readonly log?: string;
  readonly rules?: string;
  readonly alerts: number;
  readonly rate: number;
}

function parse(args: readonly string[]): Options | undefined {
  const given: Record<string, string> = {};
  for (let at = 0; at < args.length; at += 2) {
    const name = /^--(log|rules|alerts|rate)$/.exec(args[at]!)?.[1];
    if (name === undefined || args[at + 1] === undefined) return undefined;
    given[name] = args[at + 1]!;
  }
  const [alerts, rate] = [Number(given["alerts"] ?? 500), Number(given["rate"] ?? 50)];
  if (!(alerts >= 1 && rate >= 1)) return undefined;
  const { log, rules } = given;
  return {
    alerts,
    rate,
    ...(log === undefined ? {} : { log }),
    ...(rules === undefined ? {} : { rules }),
  };
}

Deno.exit(await main(Deno.args));
