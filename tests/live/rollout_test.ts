// Rules rolled out to hosts, with real sakers and a real HTTPS server: what is signed well goes to
// a third of the hosts and then to all; what is not changes nothing; a host that starts again
// without its server keeps its rules, and takes no older ones.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { ownCertificate } from "../../src/alerts/outputs/message_fixture.ts";
import { placeOf } from "../../src/rollout/share.ts";
import { eventually, runSaker, Saker } from "./saker.ts";
import { Place, shell, triggersOf } from "./trigger.ts";

const NAME = "fleet";
const hosts = Array.from({ length: 100 }, (_, at) => `node-${at}`);
const INSIDE = hosts.find((host) => placeOf(NAME, host) < 33)!;
const OUTSIDE = hosts.find((host) => placeOf(NAME, host) >= 33)!;

interface Told {
  readonly in_force: { readonly name: string; readonly serial: number } | null;
  readonly waits: { readonly serial: number } | null;
  readonly refused: { readonly serial: number | null; readonly why: string } | null;
  readonly source: { readonly asked: number; readonly in_a_row: number };
}

/** What hosts ask for; one file, with what HTTP has for those who ask again. */
class Server implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  body: Uint8Array<ArrayBuffer> = new Uint8Array();
  answered: number[] = [];

  constructor(cert: string, key: string, port = 0) {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port, cert, key, onListen() {} },
      async (request) => {
        const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", this.body)).toHex();
        const isKnown = request.headers.get("if-none-match") === `"${sum}"`;
        this.answered.push(isKnown ? 304 : 200);
        return isKnown
          ? new Response(null, { status: 304 })
          : new Response(this.body, { headers: { etag: `"${sum}"` } });
      },
    );
  }

  get url(): string {
    return `https://localhost:${this.#server.addr.port}/rules.bundle`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** The rules of a host itself, or of a bundle: one rule of a name on what the test does. */
function rule(name: string, marker: string): string {
  return `- rule: ${name}\n  desc: d\n  condition: evt.type = execve and ${triggersOf(marker)}\n` +
    `  output: ${name} %proc.cmdline\n  priority: WARNING\n`;
}

async function signed(place: Place, args: readonly string[]): Promise<Uint8Array<ArrayBuffer>> {
  const out = place.file("out.bundle");
  const all = ["rollout", "sign", "--name", NAME, "--out", out, ...args];
  const { code, stderr } = await runSaker(all);
  strictEqual(code, 0, stderr);
  return await Deno.readFile(out);
}

async function toldOf(saker: Saker): Promise<Told | undefined> {
  const all = (await saker.health())?.body["rollout"] as { rules?: Told } | undefined;
  return all?.rules;
}

function until(what: string, saker: Saker, is: (told: Told) => boolean): Promise<Told> {
  return eventually(what, async () => {
    const told = await toldOf(saker);
    return told !== undefined && is(told) ? told : undefined;
  });
}

Deno.test("rules are rolled out to a third of the hosts, then to all, and never back", async () => {
  await using place = new Place();
  const { certificate: cert, key } = await ownCertificate(place.path, "localhost");
  await Deno.writeTextFile(place.file("ca.pem"), cert);
  const made = await runSaker(["rollout", "key", place.file("good")]);
  strictEqual(made.code, 0);
  match(made.stdout, /^Key [0-9a-f]{16}: /);
  strictEqual((await Deno.stat(place.file("good"))).mode! & 0o777, 0o600);
  await Deno.writeTextFile(place.file("own.yaml"), rule("Of the host", place.marker));
  const write = (name: string, text: string) => Deno.writeTextFile(place.file(name), text);
  await write("new.yaml", rule("Of the bundle", place.marker));
  await write("bad.yaml", rule("Bad", place.marker).replace("evt.type", "evt.tipe"));

  const sign = (serial: number, ...more: string[]) =>
    signed(place, ["--key", place.file("good"), "--serial", `${serial}`, ...more]);
  const rules = ["--instead", "-r", place.file("new.yaml")];
  const third = await sign(7, "--share", "33%", ...rules);
  const all = await sign(8, ...rules);
  const bad = await sign(9, "--force", "--instead", "-r", place.file("bad.yaml"));
  const broken = all.slice();
  broken[broken.length - 5]! ^= 1;
  const empty = await sign(12, "--empty");

  // What hosts would refuse is not signed unless that is asked for.
  const refused = await runSaker([
    ...["rollout", "sign", "--key", place.file("good"), "--name", NAME, "--serial", "1"],
    ...["--out", place.file("no.bundle"), "--instead", "-r", place.file("bad.yaml")],
  ]);
  strictEqual(refused.code, 1);
  match(refused.stderr, /evt\.tipe[^]*LOAD_ERR[^]*Nothing is signed/);

  let server: Server | undefined = new Server(cert, key);
  const { url } = server;
  const start = (host: string) =>
    Saker.start([place.marker], {
      env: { FALCO_HOSTNAME: host },
      args: [
        ...["-r", place.file("own.yaml"), "-o", "json_output=true"],
        ...["-o", `rollout.source=${url}`, "-o", "rollout.every=1s"],
        ...["-o", `rollout.public_keys=${place.file("good.pub")}`],
        ...["-o", `rollout.ca_cert=${place.file("ca.pem")}`],
        ...["-o", `rollout.directory=${place.file(`state-${host}`)}`],
      ],
    });
  const fires = async (saker: Saker, name: string, step: string) => {
    await shell(place.mark(step), "true");
    await saker.alert(name, place.mark(step));
  };
  const publish = async (bytes: Uint8Array<ArrayBuffer>) => {
    await write("in.bundle", "");
    await Deno.writeFile(place.file("in.bundle"), bytes);
    server!.body = bytes;
  };
  try {
    await publish(third);
    {
      await using inside = await start(INSIDE);
      await using outside = await start(OUTSIDE);
      await until("the third to take it", inside, (one) => one.in_force?.serial === 7);
      await until("the others to wait", outside, ({ waits }) => waits?.serial === 7);
      strictEqual((await toldOf(outside))!.in_force, null);
      await fires(inside, "Of the bundle", "third");
      await outside.alert("Of the host", place.mark("third"));

      await publish(all);
      for (const one of [inside, outside]) {
        await until("all to take it", one, (one) => one.in_force?.serial === 8);
      }
      await fires(outside, "Of the bundle", "all");

      const cases: [string, Uint8Array<ArrayBuffer>][] = [
        // The others are those of nine hosts (rollout_fleet_test.ts).
        ["bad_signature", broken],
        ["stale", third],
        ["bad_rules", bad],
      ];
      for (const [why, bytes] of cases) {
        await publish(bytes);
        const told = await until(`a refusal: ${why}`, inside, (one) => one.refused?.why === why);
        deepStrictEqual(told.in_force, { name: NAME, serial: 8 });
        strictEqual((await inside.health())!.body.status, "degraded");
      }
      await fires(inside, "Of the bundle", "refused");
      match(
        inside.told,
        /bundle 9 is refused: [^]*evt\.tipe[^]*LOAD_ERR[^]*What is in force stays/,
      );
      // The one in force again: nothing is refused any more, and health does not say so for good.
      await publish(all);
      await until("the refusal to be over", inside, (one) => one.refused === null);
      const why = (await inside.health())!.body["reason"];
      ok(!/refused|hot restart/.test(String(why)), String(why));
      const { asked } = (await toldOf(inside))!.source;
      await until("two more looks", inside, (one) => one.source.asked > asked + 2);
      ok(server.answered.slice(-2).includes(304), server.answered.join());
    }
    strictEqual((await Deno.stat(place.file(`state-${INSIDE}`))).mode! & 0o777, 0o700);
    await server[Symbol.asyncDispose]();
    const { port } = new URL(url);
    server = undefined;

    await using again = await start(INSIDE);
    await until("it to start without the server", again, (one) => one.in_force?.serial === 8);
    await fires(again, "Of the bundle", "offline");
    await until("it to be told", again, (one) => one.source.in_a_row > 1);
    const { status, reason } = (await again.health())!.body;
    strictEqual(status, "degraded");
    match(String(reason), /rollout of rules: the source cannot be asked/);
    server = new Server(cert, key, Number(port));
    await publish(third);
    // Somebody who reloads is not left to wait.
    await (await fetch(`http://127.0.0.1:${again.port}/reload`, { method: "POST" })).body?.cancel();
    await until("the old one to be refused", again, (one) => one.refused?.why === "stale");
    await fires(again, "Of the bundle", "stale");
    await publish(empty);
    await until("its own rules", again, (one) => one.in_force === null && one.refused === null);
    await fires(again, "Of the host", "empty");
  } finally {
    await server?.[Symbol.asyncDispose]();
  }
});

Deno.test("a bundle shows what it is, and whether a host takes it", async () => {
  await using place = new Place();
  await runSaker(["rollout", "key", place.file("key")]);
  await Deno.writeTextFile(place.file("r.yaml"), rule("R", place.marker));
  await signed(place, [
    ...["--key", place.file("key"), "--serial", "3", "--share", "33%", "-r", place.file("r.yaml")],
  ]);
  const show = (host: string) =>
    runSaker([
      ...["rollout", "show", place.file("out.bundle"), "--public-key", place.file("key.pub")],
      ...["--host", host],
    ]);
  const [takes, waits] = [await show(INSIDE), await show(OUTSIDE)];
  deepStrictEqual([takes.code, waits.code], [0, 1]);
  match(takes.stdout, /serial +3\n[^]*share +33 %\n[^]*signature +good\n[^]*takes it/);
  match(waits.stdout, /waits: it is for 33 % of the hosts/);
  const publish = ["rollout", "publish", place.file("out.bundle"), "--to", place.file("www")];
  strictEqual((await runSaker(publish)).code, 0);
  deepStrictEqual(
    await Deno.readFile(place.file("www")),
    await Deno.readFile(place.file("out.bundle")),
  );
});
