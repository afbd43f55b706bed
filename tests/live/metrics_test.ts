// The built binary's numbers: /status, /metrics, snapshots as alerts and in a file, and the alerts
// as they come, for who may have them.
import { DASHBOARD } from "../../src/metrics/dashboard_fixture.ts";
import { parseExposition, value } from "../../src/metrics/parse_exposition_fixture.ts";
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { eventually, freePort, isWell, lines, runSaker, Saker } from "./saker.ts";
import { has, isFile, isRoot, Place, python, run, triggersOf } from "./trigger.ts";
import { ownCertificate } from "../../src/alerts/outputs/message_fixture.ts";

/** A rule that a test's own programs match, at the given priority. */
function rulesFor(place: Place, name = "Marked"): string {
  const path = place.file("rules.yaml");
  Deno.writeTextFileSync(
    path,
    `- rule: ${name}\n  desc: d\n  condition: evt.type = execve and ${triggersOf(place.marker)}\n` +
      "  output: ran %proc.cmdline\n  priority: ERROR\n  tags: [own]\n",
  );
  return path;
}

const NUMBERS = [
  "metrics.enabled=true",
  "metrics.output_rule=true",
  "metrics.interval=200ms",
  "metrics.kernel_event_counters_per_cpu_enabled=true",
  "webserver.prometheus_metrics_enabled=true",
].flatMap((option) => ["-o", option]);

Deno.test({
  name: "metrics and status tell of rules, events and programs, and snapshots go where they should",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const file = place.file("metrics.jsonl");
    await using saker = await Saker.start([place.marker, "metrics snapshot"], {
      args: ["-r", rulesFor(place), ...NUMBERS, "-o", `metrics.output_file=${file}`],
    });
    await run("/bin/true", [place.mark("a")]);
    await saker.alert("Marked", place.mark("a"));
    const ask = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${saker.port}${path}`);
      assertEquals(response.status, 200, path);
      return await response.text();
    };
    const matches = "falcosecurity_falco_rules_matches_total";
    const families = parseExposition(await ask("/metrics"));
    const [sample] = families.get(matches)!.samples;
    assertEquals(sample!.labels.get("rule_name"), "Marked");
    assertEquals(sample!.labels.get("tag_own"), "true");
    assert(sample!.value >= 1, `${sample!.value}`);
    for (const name of ["scap_n_evts_total", "scap_n_evts_cpu_total", "falco_memory_rss_bytes"]) {
      const told = families.get(`falcosecurity_${name}`)?.samples ?? [];
      assert(told.some(({ value }) => value > 0), name);
    }
    for (const [name, labels] of DASHBOARD) {
      assert(value(families, name, labels) !== undefined, `${name} ${JSON.stringify(labels)}`);
    }
    const latency = families.get("saker_alert_latency_seconds")!.samples;
    assert(latency.at(-1)!.value >= 1, "the alert's latency is counted");

    const status = JSON.parse(await ask("/status"));
    assert(isWell(status), `${status.status}: ${status.reason}`);
    assertEquals([status.reload.generation, status.reload.refused], [1, null]);
    assertEquals(status.rules.files[0].path, place.file("rules.yaml"));
    const [rule] = status.rules.list;
    assertEquals([rule.name, rule.priority, rule.matches >= 1], ["Marked", "Error", true]);
    assert(status.latency_ms.alert_to_output.p50 > 0, "the median is known");
    assert(status.memory.tables.threads.entries > 0, "threads are known");
    assertEquals(JSON.parse(await ask("/readyz")).status, "ready");

    const inFile = await eventually("two snapshots in the file", () => {
      if (!isFile(file)) return undefined;
      // What follows the last newline is being written.
      const text = Deno.readTextFileSync(file).split("\n").slice(0, -1);
      return text.length >= 2 ? text.map((line) => JSON.parse(line)) : undefined;
    });
    assertEquals(inFile[0].sample, 1);
    assert(inFile[1].sample > 1, "the numbers of snapshots rise");
    const asAlert = await eventually(
      "a snapshot as an alert",
      () => saker.alerts().find(({ rule }) => rule === "Falco internal: metrics snapshot"),
    );
    for (const fields of [asAlert.output_fields, inFile[1].output_fields]) {
      assertEquals(fields["scap.engine_name"], "modern_bpf");
      for (const name of ["falco.num_evts", "scap.n_evts", "falco.memory_rss_mb", "evt.time"]) {
        assertEquals(typeof fields[name], "number", name);
      }
    }
    assertEquals(asAlert.source, "internal");
  },
});

Deno.test({
  name: "metrics that nobody would be told of are an error, and without them there is no /metrics",
  ignore: !isRoot(),
  async fn() {
    const { code, stderr } = await runSaker(["-o", "metrics.enabled=true"]);
    assertEquals(code, 1);
    assertIncludes(stderr, "Metrics are enabled with no output configured");
    await using place = new Place();
    await using saker = await Saker.start([place.marker]);
    const response = await fetch(`http://127.0.0.1:${saker.port}/metrics`);
    assertEquals(response.status, 404);
    await response.body?.cancel();
  },
});

interface Stream extends AsyncDisposable {
  readonly status: number;
  /** Ids and data of the alerts so far. */
  readonly told: { id: string; data: { rule: string; output: string } }[];
}

/** Follows the alerts until it is disposed of. */
async function follow(url: string, headers: Record<string, string> = {}): Promise<Stream> {
  const abort = new AbortController();
  const response = await fetch(url, { headers, signal: abort.signal });
  const told: Stream["told"] = [];
  const reading = (async () => {
    let id = "";
    for await (const line of lines(response.body!)) {
      if (line.startsWith("id: ")) id = line.slice(4);
      if (line.startsWith("data: ")) told.push({ id, data: JSON.parse(line.slice(6)) });
    }
  })().catch(() => {});
  return {
    status: response.status,
    told,
    async [Symbol.asyncDispose](): Promise<void> {
      abort.abort();
      await reading;
    },
  };
}

Deno.test({
  name: "alerts are followed over HTTP, filtered, and from the last one on after a break",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    await using saker = await Saker.start([place.marker], { args: ["-r", rulesFor(place)] });
    const url = `http://127.0.0.1:${saker.port}/alerts`;
    const seen = (stream: Stream, mark: string) =>
      eventually(
        `${mark} in the stream`,
        () => stream.told.find(({ data }) => data.output.includes(place.mark(mark))),
      );
    let last: string;
    {
      await using all = await follow(`${url}?rule=Marked&priority=error`);
      await using none = await follow(`${url}?priority=critical`);
      await run("/bin/true", [place.mark("first")]);
      last = (await seen(all, "first")).id;
      assertEquals(none.told, []);
    }
    await run("/bin/true", [place.mark("missed")]);
    await saker.alert("Marked", place.mark("missed"));
    await using again = await follow(url, { "last-event-id": last });
    await seen(again, "missed");
    assertEquals(again.told.some(({ data }) => data.output.includes(place.mark("first"))), false);
    await run("/bin/true", [place.mark("later")]);
    await seen(again, "later");
    const { body } = (await saker.health())!;
    assertEquals((body["web"] as { streams: number }).streams, 1);
  },
});

/** Opens a file of the place, again and again. */
const FLOOD = "import sys\nfor _ in range(int(sys.argv[3])): open(sys.argv[2]).close()";

Deno.test({
  name: "a client that does not read loses its own alerts alone, and is told of it when it does",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const target = place.file("target");
    Deno.writeTextFileSync(target, "");
    const rules = place.file("rules.yaml");
    const opened = `evt.type in (open, openat) and fd.name = ${target}`;
    Deno.writeTextFileSync(
      rules,
      `- rule: Opened\n  desc: d\n  condition: ${opened}\n  output: opened %fd.name\n` +
        `  priority: NOTICE\n- rule: Marked\n  desc: d\n  condition: evt.type = execve and ` +
        `${triggersOf(place.mark("end"))}\n  output: ran %proc.cmdline\n  priority: ERROR\n`,
    );
    await using saker = await Saker.start([place.mark("end")], { args: ["-r", rules] });
    const { port } = saker;
    using silent = await Deno.connect({ hostname: "127.0.0.1", port });
    const request = "GET /alerts?rule=Opened HTTP/1.1\r\nHost: localhost\r\n\r\n";
    await silent.write(new TextEncoder().encode(request));
    await using other = await follow(`http://127.0.0.1:${port}/alerts?rule=Marked`);
    const stream = async () => {
      const status = await (await fetch(`http://127.0.0.1:${port}/status`)).json();
      return status.stream;
    };
    await eventually("both clients", async () => (await stream()).clients === 2 || undefined);
    await eventually("alerts that find no room", async () => {
      await python(place.marker, FLOOD, [target, "5000"]);
      return (await stream()).dropped > 0 || undefined;
    });
    await run("/bin/true", [place.mark("end")]);
    await eventually("the other one's alert", () => other.told[0]);
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(1 << 16);
    let text = "";
    for (let reads = 0; !text.includes("event: gap"); reads++) {
      // A further alert finds room once something was read; the gap stands before it.
      if (reads % 50 === 0) await python(place.marker, FLOOD, [target, "1"]);
      const read = await silent.read(buffer);
      assert(read !== null, "the stream goes on");
      text = text.slice(-100) + decoder.decode(buffer.subarray(0, read));
    }
  },
});

Deno.test({
  name:
    "beyond this host health alone is answered without a token, all with it, and it is never told",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const token = crypto.randomUUID();
    const file = place.file("token");
    Deno.writeTextFileSync(file, `${token}\n`, { mode: 0o600 });
    const address = otherAddress();
    if (address === undefined) return;
    const started = async (...args: string[]) => {
      const port = freePort();
      const saker = Saker.launch([place.marker, "web server without"], {
        args: ["--listen", `0.0.0.0:${port}`, ...args],
        port,
      });
      const url = `http://${address}:${port}`;
      await eventually("an answer", async () => {
        const response = await fetch(`${url}/healthz`).catch(() => undefined);
        const body = await response?.json();
        return body?.status === "ok" || body?.status === "degraded" ? body : undefined;
      });
      return { saker, url };
    };
    const statusOf = async (url: string, headers: Record<string, string> = {}) => {
      const response = await fetch(url, { headers });
      await response.body?.cancel();
      return response.status;
    };
    {
      const { saker, url } = await started();
      await using _ended = saker;
      assertEquals(Object.keys(await (await fetch(`${url}/healthz`)).json()), ["status"]);
      assertEquals(await statusOf(`${url}/versions`), 200);
      for (const path of ["/status", "/alerts"]) assertEquals(await statusOf(url + path), 401);
      assertEquals(await statusOf(`http://127.0.0.1:${saker.port}/status`), 200);
      await eventually("it to be told", () => saker.told.includes("no token") || undefined);
      await eventually("an alert", () => saker.alerts()[0]);
    }
    {
      const { saker, url } = await started("-o", `webserver.token_file=${file}`);
      await using _ended = saker;
      const bearer = { authorization: `Bearer ${token}` };
      assertEquals(await statusOf(`${url}/status`), 401);
      assertEquals(await statusOf(`${url}/status`, bearer), 200);
      assertEquals(saker.told.includes(token), false);
    }
  },
});

/** An address of this host that is not a loopback one, if it has any. */
function otherAddress(): string | undefined {
  return Deno.networkInterfaces()
    .find(({ family, address }) => family === "IPv4" && !address.startsWith("127."))?.address;
}

Deno.test({
  name: "Falco's one file with key and certificate makes it TLS",
  ignore: !isRoot() || !has("openssl"),
  async fn() {
    await using place = new Place();
    const { certificate, key } = await ownCertificate(place.path, "localhost");
    const pem = place.file("falco.pem");
    Deno.writeTextFileSync(pem, `${key}${certificate}`);
    const port = freePort();
    await using saker = Saker.launch([place.marker], {
      args: ["-o", "webserver.ssl_enabled=true", "-o", `webserver.ssl_certificate=${pem}`],
      port,
    });
    using client = Deno.createHttpClient({ caCerts: [certificate] });
    await eventually("an answer over TLS", async () => {
      const response = await fetch(`https://localhost:${port}/healthz`, { client })
        .catch(() => undefined);
      await response?.body?.cancel();
      return response?.status === 200 || undefined;
    });
    await eventually("it to be told", () => saker.told.includes("health at https://") || undefined);
  },
});
