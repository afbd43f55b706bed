// The page as a browser asks for it: who is let in and how, what is refused, and that nothing that
// others have named becomes markup.
import { deepStrictEqual, doesNotMatch, match, ok, strictEqual } from "node:assert";
import { JSON_FORMAT } from "../../alerts/format/format_fixture.ts";
import type { Alert } from "../../engine/contract/alert.ts";
import { makeApp } from "../app.ts";
import type { HealthReport } from "../health.ts";
import { Rights } from "../rights.ts";
import { Sessions } from "../sessions.ts";
import { AlertStream } from "../stream/alert_stream.ts";
import { ASSETS } from "./assets.ts";
import { SERIES, STATUS } from "./status_fixture.ts";

const TOKEN = "a-token-of-twenty-characters";
const HOST = "127.0.0.1:8765";
const STRANGER = "192.0.2.9";

interface Setting {
  readonly token?: string;
  readonly mayAllFollow?: boolean;
}

interface Asking {
  readonly from?: string;
  readonly owner?: number;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>>;
  readonly secure?: boolean;
}

function pageOf({ token, mayAllFollow = false }: Setting = {}) {
  const alerts = new AlertStream({ format: JSON_FORMAT });
  const sessions = new Sessions();
  const app = makeApp({
    healthPath: "/healthz",
    health: () => ({ status: "ok" }) as HealthReport,
    versions: () => ({}),
    rights: new Rights({ token, insecure: false, mayAct: [0], mayAllFollow, sessions }),
    status: () => STATUS as unknown as Record<string, unknown>,
    alerts,
    series: () => SERIES,
    page: { sessions },
  });
  const ask = async (path: string, asking: Asking = {}): Promise<Response> => {
    const { from = "127.0.0.1", owner = 0, form, secure = false } = asking;
    const bytes = new TextEncoder().encode(`${new URLSearchParams(form ?? {})}`);
    const peer = {
      localAddress: "192.0.2.1",
      remoteAddress: from,
      owner: () => owner,
      body: () => Promise.resolve({ bytes }),
    };
    const type: Record<string, string> = form === undefined
      ? {}
      : { "content-type": "application/x-www-form-urlencoded" };
    const headers = { host: HOST, ...type, ...asking.headers };
    const method = asking.method ?? (form === undefined ? "GET" : "POST");
    const url = `http${secure ? "s" : ""}://localhost${path}`;
    return await app.request(new Request(url, { method, headers }), undefined, peer);
  };
  return { ask, alerts, sessions };
}

/** Name and value of the cookie that an answer sets. */
function cookieOf(response: Response): string {
  return (response.headers.get("set-cookie") ?? "").split(";")[0]!;
}

function alertOf(sequence: number, more: Partial<Alert> = {}): Alert {
  return {
    hostname: "host",
    message: `alert ${sequence}`,
    outputFields: [["proc.name", "cat"], ["fd.name", "/etc/shadow"], ["container.id", undefined]],
    priority: 4,
    rule: "A rule",
    source: "syscall",
    tags: ["mitre"],
    time: 1_700_000_000_000_000_000n + BigInt(sequence),
    sequence,
    degraded: false,
    ...more,
  };
}

Deno.test("root and saker's user on this host are shown the page without a word", async () => {
  const { ask } = pageOf();
  for (const path of ["/", "/page/alerts"]) {
    const response = await ask(path);
    strictEqual(response.status, 200, path);
    match(await response.text(), /<h1>/);
  }
});

Deno.test("every page forbids scripts, styles and frames of others", async () => {
  const { ask } = pageOf({ token: TOKEN });
  for (const path of ["/", "/page/alerts", "/page/no-such", "/page/open?code=x"]) {
    const { headers } = await ask(path);
    const policy = headers.get("content-security-policy") ?? "";
    match(policy, /default-src 'none'; script-src 'self'; style-src 'self';/);
    match(policy, /frame-ancestors 'none'; require-trusted-types-for 'script'/);
    doesNotMatch(policy, /unsafe/);
    deepStrictEqual(
      [headers.get("x-frame-options"), headers.get("x-content-type-options")],
      ["DENY", "nosniff"],
    );
    strictEqual(headers.get("cache-control"), "no-store");
  }
});

Deno.test("no page has a script, a style or a handler within it", async () => {
  const { ask, alerts } = pageOf();
  alerts.take([alertOf(1)]);
  const id = alerts.held.at(0).alert;
  for (const path of ["/", "/page/alerts", `/page/alerts/${id.sequence}`, "/page/config"]) {
    const text = await (await ask(path)).text();
    doesNotMatch(text, /<style|style=|\son\w+=|javascript:/);
    doesNotMatch(text, /<script(?! src="\/page\/assets\/\w+\/live\.js" defer="")/);
  }
});

Deno.test("beyond this host, and to other users, the page says why it is not shown", async () => {
  const { ask } = pageOf();
  const far = await ask("/page/alerts", { from: STRANGER });
  strictEqual(far.status, 401);
  match(await far.text(), /Not from another host[^]*ssh -L/);
  const other = await ask("/", { owner: 1000 });
  strictEqual(other.status, 401);
  match(await other.text(), /Not for this user[^]*sudo saker page/);
  for (const path of ["/page/now", "/page/rows", "/page/live"]) {
    strictEqual((await ask(path, { owner: 1000 })).status, 401, path);
  }
  strictEqual((await pageOf({ mayAllFollow: true }).ask("/", { owner: 1000 })).status, 200);
});

Deno.test("with a token it is asked for on this host too, and nothing is told before", async () => {
  const { ask, alerts } = pageOf({ token: TOKEN });
  alerts.take([alertOf(1)]);
  for (const from of ["127.0.0.1", STRANGER]) {
    const response = await ask("/page/alerts?search=x", { from });
    strictEqual(response.status, 401);
    const text = await response.text();
    match(text, /type="password"/);
    match(text, /name="next" value="\/page\/alerts\?search=x"/);
    doesNotMatch(text, /A rule|made-up/);
  }
  const bearer = { headers: { authorization: `Bearer ${TOKEN}` }, from: STRANGER };
  strictEqual((await ask("/", bearer)).status, 200);
});

Deno.test("the token opens a session, whose cookie is all that a browser keeps", async () => {
  const { ask } = pageOf({ token: TOKEN });
  const wrong = await ask("/page/sign-in", { form: { token: "no", next: "/" }, from: STRANGER });
  strictEqual(wrong.status, 401);
  strictEqual(wrong.headers.get("set-cookie"), null);
  match(await wrong.text(), /This is not the token/);
  const form = { token: ` ${TOKEN}\n`, next: "/page/alerts?rule=A+rule" };
  const right = await ask("/page/sign-in", { form, from: STRANGER });
  deepStrictEqual([right.status, right.headers.get("location")], [303, form.next]);
  const cookie = right.headers.get("set-cookie")!;
  match(cookie, /^saker8765=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
  ok(!cookie.includes(TOKEN));
  const signedIn = { from: STRANGER, headers: { cookie: `a=b; ${cookieOf(right)}` } };
  for (const path of ["/", "/page/now", "/status", "/alerts/recent"]) {
    strictEqual((await ask(path, signedIn)).status, 200, path);
  }
  const changed = { from: STRANGER, headers: { cookie: `${cookieOf(right)}x` } };
  strictEqual((await ask("/", changed)).status, 401);
});

Deno.test("over TLS the cookie is one that only this host can set", async () => {
  const { ask } = pageOf({ token: TOKEN });
  const right = await ask("/page/sign-in", { form: { token: TOKEN }, secure: true });
  match(
    right.headers.get("set-cookie")!,
    /^__Host-saker8765=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
  );
  const headers = { cookie: cookieOf(right) };
  strictEqual((await ask("/", { headers, secure: true })).status, 200);
  strictEqual((await ask("/", { headers })).status, 401, "it was taken without TLS");
});

Deno.test("a sign-in leads to pages of this server alone", async () => {
  const { ask } = pageOf({ token: TOKEN });
  const hostile = [
    "//evil.example/",
    "https://evil.example",
    "/\\evil.example",
    "/page/alerts\r\nset-cookie: a=b",
    "/page/sign-out",
    "/page/alertsx",
  ];
  for (const next of hostile) {
    const { headers } = await ask("/page/sign-in", { form: { token: TOKEN, next } });
    strictEqual(headers.get("location"), "/", next);
  }
});

Deno.test("a cookie is no right to act", async () => {
  const { ask, sessions } = pageOf({ token: TOKEN });
  const headers = { cookie: `saker8765=${sessions.open(TOKEN)}` };
  strictEqual((await ask("/page/link", { method: "POST", headers })).status, 401);
});

Deno.test("a sign-out carries the session's secret, or does nothing", async () => {
  const { ask, sessions } = pageOf({ token: TOKEN });
  const name = sessions.open(TOKEN);
  const headers = { cookie: `saker8765=${name}` };
  strictEqual((await ask("/page/sign-out", { form: { csrf: "x" }, headers })).status, 403);
  strictEqual((await ask("/", { headers })).status, 200);
  const { csrf } = sessions.find(name, TOKEN)!;
  match(await (await ask("/", { headers })).text(), new RegExp(`name="csrf" value="${csrf}"`));
  const out = await ask("/page/sign-out", { form: { csrf }, headers });
  strictEqual(out.status, 200);
  match(out.headers.get("set-cookie")!, /^saker8765=; .*Max-Age=0$/);
  strictEqual((await ask("/", { headers })).status, 401);
});

Deno.test("a link lets another user in once, and none from another host", async () => {
  const { ask } = pageOf();
  const made = await ask("/page/link", { method: "POST" });
  const { path, expires_s } = await made.json();
  strictEqual(expires_s, 120);
  strictEqual((await ask("/page/link", { method: "POST", owner: 1000 })).status, 401);
  const opened = await ask(path, { owner: 1000 });
  strictEqual(opened.status, 200);
  const headers = { cookie: cookieOf(opened) };
  strictEqual((await ask("/", { owner: 1000, headers })).status, 200);
  strictEqual((await ask("/alerts/recent", { owner: 1000, headers })).status, 200);
  strictEqual((await ask("/", { from: STRANGER, headers })).status, 401);
  const again = await ask(path, { owner: 1000 });
  strictEqual(again.status, 401);
  match(await again.text(), /This link is over/);
});

Deno.test("a page of others may link here and do nothing else", async () => {
  const { ask, sessions } = pageOf({ token: TOKEN });
  const headers = (site: string, mode: string) => ({
    "sec-fetch-site": site,
    "sec-fetch-mode": mode,
    authorization: `Bearer ${TOKEN}`,
  });
  for (const site of ["cross-site", "same-site"]) {
    strictEqual((await ask("/", { headers: headers(site, "navigate") })).status, 200);
    strictEqual((await ask("/", { headers: headers(site, "no-cors") })).status, 403);
    const form = { token: TOKEN, next: "/" };
    const posted = await ask("/page/sign-in", { form, headers: headers(site, "navigate") });
    strictEqual(posted.status, 403);
  }
  // The cookie is kept back on the way from there: the page asks once more by itself.
  const linked = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
  const first = await ask("/page/alerts/18ebcc-1", { headers: linked });
  match(await first.text(), /http-equiv="refresh" content="0; url=\/page\/alerts\/18ebcc-1"/);
  const cookie = `saker8765=${sessions.open(TOKEN)}`;
  const own = { "sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate" };
  doesNotMatch(await (await ask("/", { headers: own })).text(), /http-equiv="refresh"/);
  strictEqual((await ask("/", { headers: { ...own, cookie } })).status, 200);
});

Deno.test("script and style are kept by browsers under a name that changes with them", async () => {
  const { ask } = pageOf({ token: TOKEN });
  const text = await (await ask("/")).text();
  const path = /href="(\/page\/assets\/[0-9a-f]{16})\/style\.css"/.exec(text)?.[1];
  for (const [name, { type, text }] of ASSETS) {
    const response = await ask(`${path}/${name}`, { from: STRANGER });
    strictEqual(response.status, 200, name);
    strictEqual(response.headers.get("content-type"), type);
    match(response.headers.get("cache-control")!, /immutable/);
    strictEqual(await response.text(), text);
  }
  strictEqual((await ask(`${path}/other.js`)).status, 404);
});

const HOSTILE = [
  "<img src=x onerror=alert(1)>",
  `"><script>alert(1)</script>`,
  "a\u202egnp.exe\u2066\u200f",
  "\x1b[31mred\x07\0nul\x9b",
  "half \ud800 of a pair",
  "&lt;b&gt;",
  "x".repeat(4096),
  "line\nafter line\u2028",
];

Deno.test("what others have named is text on every page, and turns nothing round", async () => {
  const { ask, alerts } = pageOf();
  alerts.take(HOSTILE.map((name, at) =>
    alertOf(at + 1, {
      rule: name,
      message: `opened ${name}`,
      outputFields: [["fd.name", name], [name, name]],
      tags: [name],
      hostname: name,
    })
  ));
  const paths = ["/", "/page/alerts", ...HOSTILE.map((_, at) => `/page/alerts/${at + 1}`)];
  for (const name of HOSTILE) {
    paths.push(`/page/alerts?search=${encodeURIComponent(name.toWellFormed())}`);
    paths.push(`/page/rules/${encodeURIComponent(name.toWellFormed())}`);
  }
  for (const path of paths) {
    const response = await ask(path);
    ok(response.status < 500, `${path}: ${response.status}`);
    const text = await response.text();
    doesNotMatch(text, /<img|<script(?! src="\/page)|<b>/, path);
    // deno-lint-ignore no-control-regex -- Such characters are what must not be there.
    doesNotMatch(text, /[\0-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/, path);
    ok(text.isWellFormed(), path);
  }
  const shown = await (await ask("/page/alerts/3")).text();
  match(shown, /a\\u202egnp\.exe\\u2066\\u200f/);
});

Deno.test("alerts come page by page, the newest first, with filters of a form", async () => {
  const { ask, alerts } = pageOf();
  alerts.take(
    Array.from(
      { length: 250 },
      (_, at) => alertOf(at + 1, at % 10 === 0 ? { rule: "Another", priority: 2 } : {}),
    ),
  );
  const idsOf = (text: string) =>
    [...text.matchAll(/<li><a href="\/page\/alerts\/[0-9a-f]+-(\d+)">/g)].map((one) => one[1]);
  const first = await (await ask("/page/alerts")).text();
  deepStrictEqual(idsOf(first), Array.from({ length: 100 }, (_, at) => `${250 - at}`));
  const older = /rel="next"[^>]* href="([^"]+)"/.exec(first)![1]!.replaceAll("&amp;", "&");
  const second = await (await ask(older)).text();
  strictEqual(idsOf(second)[0], "150");
  const rows = await (await ask(`/page/rows?${older.split("?")[1]}`)).json();
  deepStrictEqual([rows.rows.length, rows.rows[0].message], [100, "alert 150"]);
  const filters = "search=&rule=Another&priority=Critical&process=cat&container=";
  const some = await (await ask(`/page/alerts?${filters}`)).text();
  strictEqual(idsOf(some).length, 25);
  match(some, /<option value="Critical" selected="">/);
  doesNotMatch(some, /rel="next"/);
  const none = await (await ask("/page/alerts?process=no-such")).text();
  match(none, /None of the alerts that are held is like that/);
  const odd = await ask("/page/alerts?priority=loud");
  strictEqual(odd.status, 400);
  match(await odd.text(), /role="alert">priority &quot;loud&quot;/);
});

Deno.test("older alerts follow one that had to give way meanwhile", async () => {
  const { ask, alerts } = pageOf();
  alerts.take([1, 2, 5, 6].map((at) => alertOf(at)));
  const before = (at: number) =>
    (1_700_000_000_000_000_000n + BigInt(at)).toString(16).padStart(16, "0");
  const rowsFrom = async (at: number) => {
    const { rows } = await (await ask(`/page/rows?before=${before(at)}-${at}`)).json();
    return rows.map(({ message }: { message: string }) => message);
  };
  deepStrictEqual(await rowsFrom(4), ["alert 2", "alert 1"]);
  deepStrictEqual(await rowsFrom(0), []);
  deepStrictEqual((await rowsFrom(9)).length, 4);
  strictEqual((await ask("/page/rows?before=no-such")).status, 400);
});

Deno.test("an alert that is not held is said to be gone", async () => {
  const { ask } = pageOf();
  const response = await ask("/page/alerts/18ebcc-1");
  strictEqual(response.status, 404);
  match(await response.text(), /not held any more/);
});

Deno.test("rows are streamed from where the page was made", async () => {
  const { ask, alerts } = pageOf();
  alerts.take([alertOf(1)]);
  const text = await (await ask("/page/alerts?rule=A+rule")).text();
  const live = /data-live="([^"]+)"/.exec(text)![1]!.replaceAll("&amp;", "&");
  // Between the page and its stream.
  alerts.take([
    alertOf(2, { repeats: { count: 3, first: 1n, last: 2n } }),
    alertOf(3, { rule: "B" }),
  ]);
  const response = await ask(live);
  strictEqual(response.headers.get("content-type"), "text/event-stream");
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let came = "";
  while (!came.includes("data:")) came += (await reader.read()).value ?? "";
  await reader.cancel();
  const row = JSON.parse(/^data: (.*)$/m.exec(came)![1]!);
  deepStrictEqual([row.message, row.times, row.level], ["alert 2", "3 times", 4]);
  alerts.close();
});

Deno.test("the overview says what is amiss", async () => {
  const { ask } = pageOf();
  const text = await (await ask("/")).text();
  match(text, /Less is done than was asked[^]*rules were refused/);
  match(text, /This kernel refuses the program lineage: no such hook/);
  match(text, /<p class="value bad" data-text="driver.value">/);
  const now = await (await ask("/page/now")).json();
  strictEqual(now.state, "degraded");
  strictEqual(now.texts["events.value"], "1,234/s");
});
