// Nine hosts that take rules and configuration from elsewhere, for tests: real sakers without a
// driver, which judge audit events that the test posts to each. Where they ask is a way of its own:
// a web server or a nats-server.
import { deepStrictEqual, strictEqual } from "node:assert";
import { placeOf } from "../../src/rollout/share.ts";
import { NatsServer } from "../nats_fixture.ts";
import { eventually, runSaker, Saker } from "./saker.ts";
import { Place } from "./trigger.ts";

export const NAME = "fleet";
export const SHARE = 33;

export interface Told {
  readonly in_force: { readonly name: string; readonly serial: number } | null;
  readonly waits: { readonly serial: number } | null;
  readonly refused: { readonly serial: number | null; readonly why: string } | null;
  readonly source: { readonly in_a_row: number; readonly down_since: string | null };
}

export type Kind = "rules" | "config";

/** How bundles come to hosts. */
export interface Way extends AsyncDisposable {
  readonly name: string;
  /** Of a host's configuration, as `-o` takes them. */
  readonly options: readonly string[];
  /** As who owns the server can, whatever it is. */
  put(kind: Kind, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** What the fleet looks like to who rolls out; absent: nobody can tell. */
  standings?(kind: Kind): Promise<Readonly<Record<string, number>> | undefined>;
  /** Nobody answers any more. */
  end(): Promise<void>;
}

export function webWay(): Way {
  const bodies = new Map<string, Uint8Array<ArrayBuffer>>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
    const body = bodies.get(new URL(url).pathname);
    return body === undefined ? new Response(null, { status: 404 }) : new Response(body);
  });
  const { port } = server.addr as Deno.NetAddr;
  const url = (kind: Kind) => `http://127.0.0.1:${port}/${kind}`;
  const empty = new Uint8Array();
  bodies.set("/config", empty);
  return {
    name: "HTTP",
    options: [
      ...[`rollout.source=${url("rules")}`, `rollout.config_source=${url("config")}`],
      "rollout.every=1s",
    ],
    put: (kind, bytes) => Promise.resolve(void bodies.set(`/${kind}`, bytes)),
    end: () => server.shutdown(),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Hosts may read the bucket of bundles and not write there, and tell of themselves. */
const ACCOUNT = `
authorization {
  users: [
    {user: admin, password: secret}
    {user: host, password: known, permissions: {
      publish: ["$JS.API.DIRECT.GET.KV_saker_rollout.>", "saker.alerts.>", "$KV.saker_hosts.>",
        "$JS.API.STREAM.*.SAKER", "$JS.API.STREAM.*.KV_saker_hosts"]
      subscribe: ["$KV.saker_rollout.>", "_INBOX.>"]
    }}
  ]
}`;

/** Of the hosts that tell of themselves there, how many stand how; undefined: nothing is told. */
export async function standingsAt(
  url: string,
  access: readonly string[],
  kind: Kind,
): Promise<Readonly<Record<string, number>> | undefined> {
  const { stdout } = await runSaker(["rollout", "status", "--from", url, "--json", ...access]);
  if (stdout === "") return undefined;
  const all = JSON.parse(stdout) as Record<string, { counts: Record<string, number> }>;
  const counts = Object.entries(all[kind]?.counts ?? {});
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

/** Waits until the fleet looks so to who rolls out. */
export async function stands(
  way: Way,
  wanted: Readonly<Record<string, number>>,
  kind: Kind = "rules",
): Promise<void> {
  if (way.standings === undefined) return;
  let seen = "";
  await eventually("the fleet's standing", async () => {
    seen = JSON.stringify(await way.standings!(kind));
    return seen === JSON.stringify(wanted) || undefined;
  }, 60_000).catch((error) => {
    throw new Error(`${error.message}: ${seen}`);
  });
}

export class NatsWay implements Way {
  readonly name = "NATS";
  readonly #server: NatsServer;
  readonly #place: Place;

  private constructor(server: NatsServer, place: Place) {
    this.#server = server;
    this.#place = place;
  }

  static async start(place: Place): Promise<NatsWay> {
    await Deno.writeTextFile(place.file("admin.pw"), "secret\n");
    await Deno.writeTextFile(place.file("host.pw"), "known\n");
    return new NatsWay(await NatsServer.start({ more: ACCOUNT }), place);
  }

  get url(): string {
    return this.#server.url;
  }

  /** Who publishes. */
  get admin(): string[] {
    return this.#as("admin").flatMap((option) => ["-o", option]);
  }

  get options(): string[] {
    return [
      ...[`rollout.source=${this.url}`, `rollout.config_source=${this.url}`],
      // What they hear of at once is not polled.
      ...["rollout.every=1h", ...this.#as("host"), ...this.#as("host", "nats_output")],
      ...["nats_output.enabled=true", `nats_output.url=${this.url}`],
    ];
  }

  #as(user: string, part = "rollout"): string[] {
    return [`${part}.user=${user}`, `${part}.password_file=${this.#place.file(`${user}.pw`)}`];
  }

  /** `saker rollout status --json`: how many hosts stand how. */
  async standings(kind: Kind): Promise<Readonly<Record<string, number>> | undefined> {
    return await standingsAt(this.url, this.admin, kind);
  }

  async put(kind: Kind, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const { connectNats } = await import("../../src/nats/connect.ts");
    const { Kvm } = await import("@nats-io/kv");
    const connection = await connectNats({
      servers: [{ isTls: false, hostname: "127.0.0.1", port: this.#server.port }],
      name: "test",
      credentials: { kind: "user", user: "admin", read: () => "secret" },
      tls: { caCerts: [] },
      timeoutMs: 10_000,
    });
    await (await new Kvm(connection).create("saker_rollout", { history: 8 })).put(kind, bytes);
    await connection.close();
  }

  end(): Promise<void> {
    return this.#server.end("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}

export class Hosts implements AsyncDisposable {
  readonly place: Place;
  readonly inside: readonly string[];
  readonly all: readonly string[];
  readonly #sakers = new Map<string, Saker>();
  #posted = 0;

  constructor(place: Place) {
    this.place = place;
    const names = Array.from({ length: 200 }, (_, at) => `node-${at}`);
    this.inside = names.filter((name) => placeOf(NAME, name) < SHARE).slice(0, 3);
    this.all = [
      ...this.inside,
      ...names.filter((name) => placeOf(NAME, name) >= SHARE).slice(0, 6),
    ];
  }

  /** Three at a time, on a small machine. */
  async start(way: Way): Promise<void> {
    for (let from = 0; from < this.all.length; from += 3) {
      await Promise.all(
        this.all.slice(from, from + 3).map((host) => this.startOne(host, way.options)),
      );
    }
  }

  async startOne(host: string, more: readonly string[]): Promise<Saker> {
    const { place } = this;
    const options = [
      ...["engine.kind=nodriver", "json_output=true", ...more],
      ...[`rollout.public_keys=${place.file("good.pub")}`],
      ...[`rollout.directory=${place.file(`state-${host}`)}`],
    ];
    const saker = await Saker.start([place.marker], {
      env: { FALCO_HOSTNAME: host },
      args: ["-r", place.file("own.yaml"), ...options.flatMap((one) => ["-o", one])],
    });
    this.#sakers.set(host, saker);
    return saker;
  }

  of(host: string): Saker {
    return this.#sakers.get(host)!;
  }

  async told(host: string, kind: Kind = "rules"): Promise<Told | undefined> {
    const all = (await this.of(host).health())?.body["rollout"] as { [kind: string]: Told };
    return all?.[kind];
  }

  /** Waits until each of these hosts tells so. */
  async until(
    what: string,
    hosts: readonly string[],
    is: (told: Told) => boolean,
    kind: Kind = "rules",
  ): Promise<void> {
    await Promise.all(hosts.map((host) =>
      eventually(`${what} of ${host}`, async () => {
        const told = await this.told(host, kind);
        return told !== undefined && is(told) || undefined;
      })
    ));
  }

  /** The serial in force of each. */
  async serials(kind: Kind = "rules"): Promise<(number | null)[]> {
    const told = await Promise.all(this.all.map((host) => this.told(host, kind)));
    return told.map((one) => one!.in_force?.serial ?? null);
  }

  /** Something happens on these hosts, and the rule tells of it; what fields the alerts have. */
  async fires(
    rule: string,
    hosts: readonly string[],
  ): Promise<Readonly<Record<string, unknown>>[]> {
    const mark = this.place.mark(`event-${++this.#posted}`);
    return await Promise.all(hosts.map(async (host) => {
      const saker = this.of(host);
      await eventually(`${host} to take an event`, async () => {
        const { status, body } = await fetch(`http://127.0.0.1:${saker.port}/k8s-audit`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: eventOf(mark),
        });
        await body?.cancel();
        return status === 200 || undefined;
      });
      const { output_fields, hostname } = await saker.alert(rule, mark);
      strictEqual(hostname, host);
      return output_fields;
    }));
  }

  async stop(host: string): Promise<void> {
    await this.of(host).stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#sakers.values()].map((saker) => saker.stop()));
  }
}

function eventOf(user: string): string {
  return JSON.stringify({
    kind: "Event",
    apiVersion: "audit.k8s.io/v1",
    level: "Metadata",
    auditID: user,
    stage: "ResponseComplete",
    requestURI: "/api/v1/namespaces/default/pods",
    verb: "get",
    user: { username: user, groups: [] },
    objectRef: { resource: "pods", namespace: "default", apiVersion: "v1" },
    responseStatus: { code: 200 },
    requestReceivedTimestamp: "2026-01-02T03:04:05.678901Z",
    stageTimestamp: "2026-01-02T03:04:05.678901Z",
  });
}

/** One rule on what the test posts. */
export function rule(name: string): string {
  return `- rule: ${name}\n  desc: d\n  condition: ka.verb = get\n` +
    `  output: ${name} %ka.user.name\n  priority: WARNING\n  source: k8s_audit\n`;
}

/** Keys and rules files of a place. */
export async function prepare(place: Place): Promise<void> {
  for (const name of ["good", "other"]) {
    strictEqual((await runSaker(["rollout", "key", place.file(name)])).code, 0);
  }
  const write = (name: string, text: string) => Deno.writeTextFile(place.file(name), text);
  await write("own.yaml", rule("Of the host"));
  await write("new.yaml", rule("Of the bundle"));
  await write("bad.yaml", rule("Bad").replace("ka.verb =", "ka.vreb ="));
  await write("settings.yaml", "append_output: [{extra_fields: [{fleet: 'blue'}]}]\n");
  await write("hostile.yaml", "program_output: {enabled: true, program: 'touch /tmp/x'}\n");
}

/** The bytes of a bundle; `args` are those of `saker rollout sign`. */
export async function signed(place: Place, ...args: string[]): Promise<Uint8Array<ArrayBuffer>> {
  const out = place.file("out.bundle");
  const key = args.includes("--key") ? [] : ["--key", place.file("good")];
  const all = ["rollout", "sign", "--name", NAME, "--out", out, ...key, ...args];
  const { code, stderr } = await runSaker(all);
  deepStrictEqual([code, code === 0 ? "" : stderr], [0, ""]);
  return await Deno.readFile(out);
}
