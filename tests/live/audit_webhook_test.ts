// What an API server's audit webhook posts to the built binary, and what others do: on the web
// server, on an address of its own, over TLS, with tokens and certificates; broken and hostile
// bodies, floods. The bodies are made here; those of a real API server, where they are given, are
// posted as they were and one event a request.
import { certificates } from "../outputs/grpc.ts";
import { AuditScene } from "./audit_scene.ts";
import { assert, assertEquals } from "./expect.ts";
import { eventually, freePort, runSaker, Saker } from "./saker.ts";
import { has, isFile, isRoot, Place } from "./trigger.ts";

const JSON_TYPE = { "content-type": "application/json" };

interface PostOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly client?: Deno.HttpClient;
}

async function post(url: string, body: BodyInit, { headers = {}, client }: PostOptions = {}) {
  const response = await fetch(url, {
    method: "POST",
    body,
    headers: { ...JSON_TYPE, ...headers },
    ...(client === undefined ? {} : { client }),
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

/** As an API server does that is told to come again, or finds nobody yet. */
async function taken(url: string, body: BodyInit, options: PostOptions = {}) {
  return await eventually("room for a body", async () => {
    const answer = await post(url, body, options).catch(() => undefined);
    return answer === undefined || answer.status === 429 ? undefined : answer;
  });
}

Deno.test({
  name: "a falco.yaml that loads k8saudit and json has the webhook on the web server",
  ignore: !isRoot(),
  async fn() {
    await using scene = new AuditScene();
    const { port } = await scene.start();
    const url = `http://127.0.0.1:${port}/k8s-audit`;
    const answer = await taken(`${url}?timeout=30s`, scene.list([1, 2, 3]));
    assertEquals([answer.status, answer.text], [200, ""]);
    await scene.sees(1, 2, 3);
    assertEquals((await post(url, scene.event(4))).status, 200);
    assertEquals((await post(url, `[${scene.event(5)},${scene.list([6])}]`)).status, 200);
    await scene.sees(4, 5, 6);
    for (const body of ["", "{", '{"kind":"Pod"}', "[{}]", "\0\xff", "[".repeat(100_000)]) {
      const { status, text } = await post(url, body);
      assertEquals(status, 400, body.slice(0, 20));
      assert(/^\{"error":"[^\n]+"\}$/.test(text), text);
    }
    assertEquals((await fetch(url).then((one) => one.body?.cancel().then(() => one)))?.status, 405);
    const { webhook } = await scene.told();
    assertEquals([webhook.taken, webhook.events, webhook.refused["hostile"]], [3, 6, 6]);
    assertEquals(webhook.refused["unwanted"], 1);
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    if (!metrics.startsWith("{")) {
      assert(metrics.includes("saker_audit_webhook_events_total 6"), metrics);
    }
    // Those who shout hold up nobody else.
    assertEquals(scene.seen(), [1, 2, 3, 4, 5, 6]);
  },
});

Deno.test({
  name: "a rule on audit events is enough for the webhook, and a flag takes it away",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const rules = place.file("rules.yaml");
    Deno.writeTextFileSync(
      rules,
      "- rule: R\n  desc: d\n  condition: ka.verb exists\n  output: o\n  priority: INFO\n" +
        "  source: k8s_audit\n- rule: S\n  desc: d\n  condition: evt.type = open\n" +
        "  output: o\n  priority: INFO\n",
    );
    const args = ["-r", rules, "-o", "engine.kind=nodriver"];
    for (
      const [flag, status] of [["--enable-source=k8s_audit", 405], [
        "--disable-source=k8s_audit",
        404,
      ]] as const
    ) {
      await using saker = await Saker.start([place.marker], { args: [...args, flag] });
      const response = await fetch(`http://127.0.0.1:${saker.port}/k8s-audit`);
      await response.body?.cancel();
      assertEquals(response.status, status, flag);
    }
  },
});

Deno.test({
  name: "the webhook has an address of its own where open_params say so, with a bound on bodies",
  ignore: !isRoot(),
  async fn() {
    await using scene = new AuditScene();
    const port = freePort();
    const url = `http://127.0.0.1:${port}/some/where`;
    await scene.start({
      openParams: `http://127.0.0.1:${port}/some/where`,
      init: { webhookMaxBatchSize: 20_000 },
    });
    assertEquals((await taken(url, scene.event(1))).status, 200);
    await scene.sees(1);
    assertEquals((await post(`http://127.0.0.1:${port}/k8s-audit`, scene.event(2))).status, 404);
    assertEquals((await post(url, scene.event(3, 20_001))).status, 413);
    assertEquals((await post(url, scene.event(4, 10_000))).status, 200);
    const packed = new Blob([scene.list([5, 6])]).stream()
      .pipeThrough(new CompressionStream("gzip"));
    const body = await new Response(packed).arrayBuffer();
    assertEquals((await post(url, body, { headers: { "content-encoding": "gzip" } })).status, 200);
    await scene.sees(4, 5, 6);
    assertEquals(scene.seen(), [1, 4, 5, 6]);
  },
});

Deno.test({
  name: "a flood of good, broken and unfinished bodies is bounded, and every good one is judged",
  ignore: !isRoot(),
  async fn() {
    await using scene = new AuditScene();
    const { port } = await scene.start();
    const url = `http://127.0.0.1:${port}/k8s-audit`;
    const unfinished = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const conn = await Deno.connect({ hostname: "127.0.0.1", port });
        const head =
          "POST /k8s-audit HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json" +
          "\r\nContent-Length: 5000000\r\n\r\n{";
        await conn.write(new TextEncoder().encode(head));
        return conn;
      }),
    );
    let again = 0;
    const good = async (number: number): Promise<void> => {
      // As an API server does that is told to come again.
      for (;;) {
        const { status, headers } = await post(url, scene.list([number, number + 1_000]))
          .catch(() => ({ status: 429, headers: new Headers({ "retry-after": "0" }) }));
        if (status === 200) return;
        assertEquals(status, 429);
        again++;
        const seconds = Number(headers.get("retry-after"));
        await new Promise((resolve) => setTimeout(resolve, 200 * seconds + 20));
      }
    };
    const broken = async (number: number): Promise<void> => {
      const body = scene.list([number]).slice(0, 100 + number);
      const { status } = await post(url, body).catch(() => ({ status: 429 }));
      assert(status === 400 || status === 429, `${status}`);
    };
    const numbers = Array.from({ length: 100 }, (_, at) => at + 1);
    const work = numbers.map((number) => [() => good(number), () => broken(number)]).flat();
    const lane = async () => {
      for (let task = work.pop(); task !== undefined; task = work.pop()) await task();
    };
    await Promise.all(Array.from({ length: 12 }, lane));
    for (const conn of unfinished) conn.close();
    await scene.sees(...numbers, ...numbers.map((number) => number + 1_000));
    assertEquals(new Set(scene.seen()).size, 200);
    const { webhook } = await scene.told();
    assert(webhook.events >= 200, `${webhook.events}`);
    assert(webhook.refused["hostile"]! + webhook.refused["busy"]! > 0, `${again}`);
    assertEquals((await scene.saker.health())?.status, 200);
  },
});

Deno.test({
  name: "over TLS a token, or a certificate of a given authority, is wanted where it is asked for",
  ignore: !isRoot() || !has("openssl"),
  async fn() {
    await using place = new Place();
    const at = await certificates(place.path);
    const read = (name: string) => Deno.readTextFileSync(`${at}/${name}`);
    const pem = place.file("falco.pem");
    Deno.writeTextFileSync(pem, read("server.key") + read("server.pem"));
    const token = "0123456789abcdefgh";
    Deno.writeTextFileSync(place.file("token"), `${token}\n`);
    const caCerts = [read("ca.pem")];
    using plain = Deno.createHttpClient({ caCerts });
    const withCertificate = (of: string) =>
      Deno.createHttpClient({ caCerts, cert: read(`${of}.pem`), key: read(`${of}.key`) });
    {
      await using scene = new AuditScene();
      const port = freePort();
      const url = `https://localhost:${port}/k8s-audit`;
      await scene.start({
        openParams: `https://127.0.0.1:${port}/k8s-audit`,
        init: { sslCertificate: pem, tokenFile: place.file("token") },
      });
      assertEquals((await taken(url, scene.event(1), { client: plain })).status, 401);
      const headers = { authorization: `Bearer ${token}` };
      assertEquals((await taken(url, scene.event(1), { client: plain, headers })).status, 200);
      await scene.sees(1);
      assertEquals(scene.saker.told.includes(token), false);
    }
    await using scene = new AuditScene();
    const port = freePort();
    const url = `https://localhost:${port}/k8s-audit`;
    await scene.start({
      openParams: `https://127.0.0.1:${port}/k8s-audit`,
      init: { sslCertificate: pem, clientCa: `${at}/ca.pem` },
    });
    using known = withCertificate("client");
    assertEquals((await taken(url, scene.event(1), { client: known })).status, 200);
    using strange = withCertificate("strange/client");
    for (const client of [plain, strange]) {
      const refused = await post(url, scene.event(2), { client }).catch(() => undefined);
      assertEquals(refused, undefined);
    }
    const large = scene.list(Array.from({ length: 2_000 }, (_, number) => number + 10));
    assertEquals((await post(url, large, { client: known })).status, 200);
    await scene.sees(1, 10, 2_009);
    assertEquals(scene.seen().includes(2), false);
  },
});

const GIVEN = new URL("../../../shared/audit/", import.meta.url).pathname;

Deno.test({
  name: "a real API server's bodies give what its log gives, as posted and one event a request",
  ignore: !isRoot() || !isFile(`${GIVEN}public.webhook.jsonl.gz`),
  async fn() {
    const bodies = (await gunzipped(`${GIVEN}public.webhook.jsonl.gz`)).trimEnd().split("\n");
    const expected = (await gunzipped(`${GIVEN}public.all.jsonl.gz`)).trimEnd().split("\n")
      .map((line) => JSON.parse(line)).map(({ rule, time }) => `${rule} ${time}`).sort();
    const log = await gunzipped(`${GIVEN}public.jsonl.gz`);
    const events = log.trimEnd().split("\n");
    await using place = new Place();
    Deno.writeTextFileSync(place.file("audit.jsonl"), log);
    const rules = `${GIVEN}rules/k8s_audit_rules.yaml`;
    const plugin = [
      ...["-o", "plugins[]={name: k8saudit}", "-o", "plugins[]={name: json}"],
      ...["-o", "json_output=true", "-o", "rule_matching=all", "-r", rules],
    ];
    const replayed = await runSaker(["replay", place.file("audit.jsonl"), ...plugin]);
    assertEquals(replayed.code, 0, replayed.stderr);
    const wanted = replayed.stdout.trimEnd().split("\n").map(shown).sort();
    assertEquals(wanted.map((line) => line.split(" {")[0]).sort(), expected);
    for (const posted of [bodies, events]) {
      await using saker = await Saker.start(['"k8s_audit"'], {
        args: [...plugin, "--enable-source=k8s_audit"],
      });
      const url = `http://127.0.0.1:${saker.port}/k8s-audit`;
      for (const body of posted) assertEquals((await taken(url, `${body}\n`)).status, 200);
      await eventually("all alerts", () => saker.alerts().length >= wanted.length || undefined);
      const got = saker.alerts().map((alert) => shown(JSON.stringify(alert))).sort();
      assertEquals(got, wanted);
    }
  },
});

/** What of an alert does not depend on the run. */
function shown(line: string): string {
  const { rule, time, output_fields } = JSON.parse(line);
  return `${rule} ${time} ${JSON.stringify(output_fields)}`;
}

async function gunzipped(path: string): Promise<string> {
  const file = await Deno.open(path);
  return await new Response(file.readable.pipeThrough(new DecompressionStream("gzip"))).text();
}
