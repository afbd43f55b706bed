// Who may send to a real nats-server, and how: each kind of credentials and TLS, and what is told
// where the server, or saker, refuses.
import { ok, strictEqual } from "node:assert";
import { existsSync, readdirSync } from "node:fs";
import { runMain } from "./main_process.ts";
import { NatsServer, type NatsServerOptions, noNats } from "./nats_fixture.ts";
import { NatsHost } from "./nats_host.ts";
import { createUser, operatorOf, seedOf } from "./nats_keys.ts";
import { certificates } from "./outputs/grpc.ts";

const reason = noNats();
const test = (name: string, fn: (place: Place) => Promise<void>) =>
  Deno.test({
    name: `nats: ${name}`,
    ignore: reason !== undefined,
    async fn() {
      using place = new Place();
      await fn(place);
    },
  });

class Place implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "saker-keys-" });

  /** The path of a file that holds the text. */
  file(name: string, text: string): string {
    const path = `${this.path}/${name}`;
    Deno.writeTextFileSync(path, text);
    return path;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** Whether the server has made the stream, in whatever account. */
function hasStream(server: NatsServer): boolean {
  const at = `${server.directory}/js/jetstream`;
  return existsSync(at) &&
    readdirSync(at).some((account) => existsSync(`${at}/${account}/streams/SAKER`));
}

const isWell =
  (name: string) => (health: { outputs: readonly { name: string; state: string }[] }) =>
    health.outputs.find((output) => output.name === name)?.state === "ok";

/** With each of these the output is well; with each of those it says why not. */
async function tried(
  options: NatsServerOptions,
  taken: readonly string[],
  refused: readonly (readonly [keys: string, why: RegExp])[],
): Promise<void> {
  await using server = await NatsServer.start(options);
  for (const [keys, why] of refused) {
    await using host = new NatsHost("a", `url: "${server.url}"${keys}`);
    const health = await host.health("it fails", ({ status }) => status === "failing");
    ok(why.test(health.reason ?? ""), `${keys}: ${health.reason}`);
    await host.says(why);
    strictEqual(hasStream(server), false);
  }
  for (const keys of taken) {
    await using host = new NatsHost("a", `url: "${server.url}"${keys}`);
    await host.health("it is well", (health) => isWell("nats")(health) && hasStream(server));
    ok(!/Cannot write alerts|cannot tell of itself/.test(host.told), host.told);
  }
}

const UNKNOWN = /the server refuses our credentials/;

test("a user with a password is let in, with another one is not", async (place) => {
  const right = place.file("password", "a pass: word\n");
  const wrong = place.file("wrong", "word\n");
  await tried(
    { more: 'authorization {user: s, password: "a pass: word"}' },
    [`, user: s, password_file: ${right}`],
    [["", UNKNOWN], [`, user: s, password_file: ${wrong}`, UNKNOWN]],
  );
});

test("a token is let in, another one is not", async (place) => {
  await tried(
    { more: 'authorization {token: "a-token"}' },
    [`, token_file: ${place.file("token", "a-token\n")}`],
    [[`, token_file: ${place.file("wrong", "a-tokem\n")}`, UNKNOWN]],
  );
});

test("an nkey is let in, another one is not, and what is none is told", async (place) => {
  const user = createUser();
  await tried(
    { more: `authorization {users: [{nkey: ${user.getPublicKey()}}]}` },
    [`, nkey_file: ${place.file("nkey", `${seedOf(user)}\n`)}`],
    [
      [`, nkey_file: ${place.file("other", seedOf(createUser()))}`, UNKNOWN],
      [`, nkey_file: ${place.file("off", "SU".padEnd(58, "A"))}`, /our credentials are broken/],
    ],
  );
});

test("credentials of an account are let in, expired and strange ones are not", async (place) => {
  const { config, creds, stranger } = operatorOf();
  const past = Math.floor(Date.now() / 1000) - 5;
  await tried(
    { more: config },
    [`, creds_file: ${place.file("a.creds", creds())}`],
    [
      [`, creds_file: ${place.file("old.creds", creds({ expires: past }))}`, UNKNOWN],
      [`, creds_file: ${place.file("b.creds", creds({ issuer: stranger() }))}`, UNKNOWN],
    ],
  );
});

test("over TLS each side knows the other, or is refused", async (place) => {
  const at = await certificates(place.path);
  const ours = `client_cert: ${at}/client.pem, client_key: ${at}/client.key`;
  const strange = `client_cert: ${at}/strange/client.pem, client_key: ${at}/strange/client.key`;
  const ca = `ca_cert: ${at}/ca.pem`;
  const tls = `cert_file: "${at}/server.pem", key_file: "${at}/server.key"`;
  // Its word may come after the end of the connection, of which nobody can say more.
  const refusesUs =
    /refuses TLS with us, or our certificate|it may refuse our certificate, or want/;
  await tried(
    { more: `tls {${tls}, ca_file: "${at}/ca.pem", verify: true}` },
    [`, ${ca}, ${ours}`],
    [
      [`, ${ours}`, /no trusted authority has the server's certificate/],
      [`, ${ca}`, refusesUs],
      [`, ${ca}, ${strange}`, refusesUs],
    ],
  );
  await tried({ more: `tls {${tls}}`, address: "127.0.0.2" }, [], [
    [`, ${ca}`, /the server's certificate does not hold: .*name/],
  ]);
});

test("where TLS is asked for nothing is said without it", async () => {
  await using server = await NatsServer.start();
  await using host = new NatsHost("a", `url: "${server.url.replace("nats:", "tls:")}"`);
  const health = await host.health("it fails", ({ status }) => status === "failing");
  ok(/the server offers no TLS/.test(health.reason ?? ""), health.reason);
});

test("files and keys that cannot be right end the start, each with its name", async (place) => {
  const empty = place.file("empty", "\n");
  const cases: readonly (readonly [keys: string, why: string])[] = [
    [`nkey_file: ${empty}`, `nats_output.nkey_file ${empty}: expected the seed of a user's nkey`],
    [`creds_file: ${empty}`, `nats_output.creds_file ${empty}: expected a JWT and its seed`],
    [`token_file: ${empty}`, `nats_output.token_file ${empty}: expected a token`],
    [`user: s, password_file: ${empty}`, `nats_output.password_file ${empty}: expected a password`],
    [`ca_cert: ${empty}`, `nats_output.ca_cert ${empty}: expected certificates`],
    [`token_file: ${place.path}/none`, "nats_output.token_file"],
    [`user: s`, "nats_output: expected user and password_file together"],
    [`token_file: ${empty}, nkey_file: ${empty}`, "nats_output: expected one of creds_file"],
    [`client_cert: ${empty}`, "nats_output.client_cert"],
    [`url: "http://a"`, "nats_output.url"],
    [`url: ["nats://a", "tls://a"]`, "nats_output.url: expected all of nats:// or all of tls://"],
  ];
  await Promise.all([0, 1].map(async (half) => {
    for (const [keys, why] of cases.filter((_, at) => at % 2 === half)) {
      await using host = new NatsHost("a", keys);
      strictEqual(await host.ended(), 1, `${keys}: ${host.told}`);
      ok(host.told.includes(why), `${keys}: ${host.told}`);
    }
  }));
});

test("credentials that were exchanged are used at the next connection", async (place) => {
  const file = place.file("token", "first");
  await using server = await NatsServer.start({ more: 'authorization {token: "second"}' });
  await using host = new NatsHost(
    "a",
    `url: "${server.url}", token_file: ${file}, presence_every: 1s`,
  );
  await host.health("it fails", ({ status }) => status === "failing");
  Deno.writeTextFileSync(file, "second");
  await host.health("it is well", ({ status }) => status !== "failing");
});

test("the doctor and a dry run say what is amiss, and make nothing", async (place) => {
  await using server = await NatsServer.start({ more: 'authorization {token: "a-token"}' });
  const asked = async (args: readonly string[], keys: string) => {
    const nats = `nats_output={enabled: true, url: "${server.url}", ${keys}}`;
    const { out, error } = await runMain([...args, "-o", nats]);
    return out + error;
  };
  const right = `token_file: ${place.file("token", "a-token")}`;
  const wrong = `token_file: ${place.file("wrong", "a-tokem")}`;
  const doctor = (keys: string) => asked(["doctor", "--verbose", "-o", "json_output=true"], keys);
  const look = await doctor(right);
  ok(look.includes(`"text":"${server.url} takes us, and has no stream SAKER yet`), look);
  const refused = await doctor(wrong);
  ok(
    refused.includes(`nats_output.url: ${server.url}: the server refuses our credentials`),
    refused,
  );
  const broken = await doctor("token_file: /none");
  ok(/"verdict":"missing","text":"[^"]*nats_output.token_file/.test(broken), broken);
  const rules = place.file(
    "rules.yaml",
    "- {rule: r, desc: d, condition: evt.type = open, output: o, priority: NOTICE}\n",
  );
  const dry = (keys: string) =>
    asked(["--dry-run", "-r", rules, "-o", "engine.kind=nodriver"], keys);
  ok(!(await dry(right)).includes("Cannot write alerts"));
  const told = await dry(wrong);
  ok(/Cannot write alerts to nats_output.url .*: the server refuses our/.test(told), told);
  strictEqual(hasStream(server), false);
});
