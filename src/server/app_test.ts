// What each path answers, and to whom: health and versions to everybody, all else by right.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { JSON_FORMAT } from "../alerts/format/format_fixture.ts";
import type { Alert } from "../engine/contract/alert.ts";
import { type AppOptions, makeApp } from "./app.ts";
import { AuditHook } from "./audit_hook.ts";
import type { HealthReport } from "./health.ts";
import { reloadForAnswers, type ReloadOutcome } from "./reload.ts";
import { Rights } from "./rights.ts";
import { AlertStream } from "./stream/alert_stream.ts";
import type { SeriesAnswer } from "./told/answers.ts";

const TOKEN = "a-token-of-twenty-characters";
interface Setting {
  readonly token?: string;
  readonly insecure?: boolean;
  readonly mayAllFollow?: boolean;
  readonly health?: HealthReport["status"];
  readonly more?: Partial<AppOptions>;
}

function app(
  { token, insecure = false, mayAllFollow = false, health = "ok", more = {} }: Setting = {},
) {
  const alerts = new AlertStream({ format: JSON_FORMAT });
  const made = makeApp({
    healthPath: "/live",
    health: () => ({ status: health, rules: 7 }) as HealthReport,
    versions: () => ({ falco_version: "1" }),
    rights: new Rights({ token, insecure, mayAct: [0], mayAllFollow }),
    status: () => ({ all: true }),
    series: (step) => ({ step_s: step }) as SeriesAnswer,
    metrics: () => "saker_up 1\n",
    alerts,
    ...more,
  });
  const ask = async (
    path: string,
    { from = "127.0.0.1", bearer, method = "GET", owner = 0 }: {
      from?: string;
      owner?: number | undefined;
      bearer?: string;
      method?: string;
    } = {},
  ) => {
    const headers = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
    const peer = { localAddress: "192.0.2.1", remoteAddress: from, owner: () => owner };
    return await made.request(path, { method, headers }, peer);
  };
  return { ask, alerts };
}

const STRANGER = "192.0.2.9";
const PROTECTED = ["/status", "/metrics", "/alerts", "/alerts/recent", "/alerts/1", "/series"];

Deno.test("health answers 200 or 503 with the report where it is configured", async () => {
  for (const [health, status] of [["ok", 200], ["degraded", 200], ["failing", 503]] as const) {
    const response = await app({ health }).ask("/live");
    deepStrictEqual([response.status, await response.json()], [status, {
      status: health,
      rules: 7,
    }]);
  }
  strictEqual((await app().ask("/healthz")).status, 404);
});

Deno.test("readiness is seeing, whatever becomes of alerts", async () => {
  const answers = [["ok", 200], ["failing", 200], ["starting", 503], ["blind", 503]] as const;
  for (const [health, status] of answers) {
    strictEqual((await app({ health }).ask("/readyz")).status, status, health);
  }
});

Deno.test("other hosts are told without a token of health and versions alone", async () => {
  const { ask } = app();
  for (const path of PROTECTED) {
    const refused = await ask(path, { from: STRANGER });
    strictEqual(refused.status, 401, path);
    strictEqual(refused.headers.get("www-authenticate"), "Bearer");
  }
  deepStrictEqual(await (await ask("/live", { from: STRANGER })).json(), { status: "ok" });
  for (const path of ["/readyz", "/versions"]) {
    strictEqual((await ask(path, { from: STRANGER })).status, 200, path);
  }
  for (const from of ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"]) {
    strictEqual((await ask("/status", { from })).status, 200, from);
  }
});

Deno.test("with a token everybody must show it, and who does is told all", async () => {
  const { ask } = app({ token: TOKEN });
  for (const from of ["127.0.0.1", STRANGER]) {
    const wrong = [undefined, "", "x", TOKEN.slice(1), `${TOKEN}x`, TOKEN.toUpperCase()];
    for (const bearer of wrong) {
      const options = { from, ...(bearer === undefined ? {} : { bearer }) };
      for (const path of PROTECTED) strictEqual((await ask(path, options)).status, 401);
      deepStrictEqual(await (await ask("/live", options)).json(), { status: "ok" });
    }
    strictEqual((await ask("/status", { from, bearer: TOKEN })).status, 200);
    strictEqual((await (await ask("/live", { from, bearer: TOKEN })).json()).rules, 7);
  }
});

Deno.test("where it is told to be insecure, other hosts are told all without a token", async () => {
  const { ask } = app({ insecure: true });
  strictEqual((await ask("/status", { from: STRANGER })).status, 200);
  strictEqual((await app({ insecure: true, token: TOKEN }).ask("/status")).status, 401);
});

Deno.test("metrics are text of Prometheus, and not there where nobody wants them", async () => {
  const response = await app().ask("/metrics");
  match(response.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
  strictEqual(await response.text(), "saker_up 1\n");
  strictEqual((await app({ more: { metrics: undefined! } }).ask("/metrics")).status, 404);
});

Deno.test("a reload answers with what came of it, to those alone who may ask", async () => {
  const outcomes: ReloadOutcome[] = [
    { reloaded: true, rules: 3, generation: 2, sha256: "ab", restart: [] },
    { reloaded: false, error: "rules.yaml:1: no" },
  ];
  const statuses = [];
  for (const outcome of outcomes) {
    const reload = reloadForAnswers(() => Promise.resolve(outcome));
    const { ask } = app({ more: { reload } });
    const response = await ask("/reload", { method: "POST" });
    deepStrictEqual(await response.json(), outcome);
    statuses.push(response.status);
    strictEqual((await ask("/reload")).status, 405);
    strictEqual((await ask("/reload", { method: "POST", from: STRANGER })).status, 401);
    for (const owner of [1000, -1]) {
      const refused = await ask("/reload", { method: "POST", owner });
      strictEqual(refused.status, 401);
      match((await refused.json()).error, /for root/);
    }
  }
  deepStrictEqual(statuses, [200, 422]);
  strictEqual((await app().ask("/reload", { method: "POST" })).status, 404);
});

Deno.test("audit events are for root to post, or for those who show the token", async () => {
  const sink = { offer: () => "busy" as const };
  const route = (token?: string) => ({
    path: "/k8s-audit",
    hook: new AuditHook({ sink, bytesMax: 1 }),
    rights: new Rights({ token, insecure: false, mayAct: [0] }),
  });
  const status = async (token: string | undefined, options: object) => {
    const { ask } = app({ more: { audit: route(token) } });
    return (await ask("/k8s-audit", { method: "POST", ...options })).status;
  };
  // Who may post is told only then that there is no content type.
  strictEqual(await status(undefined, {}), 415);
  strictEqual(await status(undefined, { owner: 1000 }), 401);
  strictEqual(await status(undefined, { from: STRANGER }), 401);
  strictEqual(await status(TOKEN, {}), 401);
  strictEqual(await status(TOKEN, { from: STRANGER, bearer: TOKEN }), 415);
  strictEqual((await app().ask("/k8s-audit", { method: "POST" })).status, 404);
});

Deno.test("a second reload is told that one is under way, a long one that it goes on", async () => {
  const { promise, resolve } = Promise.withResolvers<ReloadOutcome>();
  const reload = reloadForAnswers(() => promise, 0);
  const { ask } = app({ more: { reload } });
  const first = ask("/reload", { method: "POST" });
  strictEqual((await ask("/reload", { method: "POST" })).status, 409);
  strictEqual((await first).status, 202);
  strictEqual((await ask("/reload", { method: "POST" })).status, 409);
  resolve({ reloaded: false, error: "no" });
  await promise;
  await new Promise((next) => setTimeout(next, 0));
  // It is over, so that another one is begun.
  strictEqual((await ask("/reload", { method: "POST" })).status !== 409, true);
});

const ALERT: Alert = {
  hostname: "h",
  message: "m",
  outputFields: [],
  priority: 4,
  rule: "r",
  source: "syscall",
  tags: [],
  time: 1n,
  sequence: 1,
  degraded: false,
};

Deno.test("alerts are a stream; HEAD opens none, and mistakes of the query are told", async () => {
  const { ask, alerts } = app();
  strictEqual((await ask("/alerts", { method: "HEAD" })).status, 200);
  for (const query of ["priority=loud", "rulle=x", "x=1"]) {
    const response = await ask(`/alerts?${query}`);
    strictEqual(response.status, 400);
    match((await response.json()).error, /expected|no parameter/);
  }
  strictEqual(alerts.stats().clients, 0);
  const response = await ask("/alerts");
  strictEqual(response.headers.get("content-type"), "text/event-stream");
  strictEqual(alerts.stats().clients, 1);
  alerts.take([ALERT]);
  const reader = response.body!.getReader();
  const text = new TextDecoder().decode((await reader.read()).value);
  ok(text.includes('data: {"degraded":false'), text);
  await reader.cancel();
  strictEqual(alerts.stats().clients, 0);
});

Deno.test("alerts are for root and saker's own user, unless all may or show a token", async () => {
  const statusOf = async (setting: Setting, owner: number, bearer?: string) => {
    const response = await app(setting).ask("/alerts", {
      owner,
      ...(bearer === undefined ? {} : { bearer }),
    });
    await response.body?.cancel();
    return response.status;
  };
  strictEqual(await statusOf({}, 0), 200);
  for (const owner of [1000, 65534]) {
    strictEqual(await statusOf({}, owner), 401);
    strictEqual(await statusOf({ mayAllFollow: true }, owner), 200);
    strictEqual(await statusOf({ insecure: true }, owner), 200);
    strictEqual(await statusOf({ token: TOKEN }, owner, TOKEN), 200);
    strictEqual(await statusOf({ token: TOKEN, mayAllFollow: true }, owner), 401);
  }
});

Deno.test("too many clients are told to come back", async () => {
  const alerts = new AlertStream({ format: JSON_FORMAT, clientsMax: 1 });
  const { ask } = app({ more: { alerts } });
  const first = await ask("/alerts");
  const second = await ask("/alerts");
  deepStrictEqual([second.status, second.headers.get("retry-after")], [503, "10"]);
  await first.body!.cancel();
  const third = await ask("/alerts");
  strictEqual(third.status, 200);
  await third.body!.cancel();
});

Deno.test("the busiest processes are told to those alone who may read the alerts", async () => {
  const more = { status: () => ({ status: "ok", processes: { list: [{ name: "x" }] } }) };
  const told = async (setting: Setting, owner: number, bearer?: string) => {
    const { ask } = app({ ...setting, more });
    const answer = await ask("/status", { owner, ...(bearer === undefined ? {} : { bearer }) });
    const { status, processes } = await answer.json();
    strictEqual(status, "ok");
    return processes !== undefined;
  };
  strictEqual(await told({}, 0), true);
  strictEqual(await told({}, 1000), false);
  strictEqual(await told({ mayAllFollow: true }, 1000), true);
  strictEqual(await told({ token: TOKEN }, 1000, TOKEN), true);
});
