// A roll-out over a nats-server that speaks TLS alone, wants a certificate of each client and knows
// hosts by JWT credentials: published, taken and told of by the built executable; and who has
// another certificate, trusts nobody, or has no credentials, takes and publishes nothing.
import { deepStrictEqual, match, strictEqual } from "node:assert";
import { NatsServer, noNats } from "../nats_fixture.ts";
import { operatorOf } from "../nats_keys.ts";
import { certificates } from "../outputs/grpc.ts";
import { Hosts, prepare, signed, standingsAt, stands, type Way } from "./rollout_scene.ts";
import { eventually, runSaker } from "./saker.ts";
import { Place } from "./trigger.ts";

/** Of a part of the configuration, as `-o` takes them. */
function accessOf(part: string, keys: Readonly<Record<string, string>>): string[] {
  return Object.entries(keys).map(([key, value]) => `${part}.${key}=${value}`);
}

const flagsOf = (options: readonly string[]) => options.flatMap((option) => ["-o", option]);

Deno.test({
  name: "a roll-out over NATS with TLS, certificates of clients and credentials",
  ignore: noNats() !== undefined,
  async fn() {
    await using place = new Place();
    await prepare(place);
    const at = await certificates(place.path);
    const { config, creds, stranger } = operatorOf();
    const tls = `cert_file: "${at}/server.pem", key_file: "${at}/server.key"`;
    await using server = await NatsServer.start({
      more: `tls {${tls}, ca_file: "${at}/ca.pem", verify: true}\n${config}`,
    });
    const url = server.url.replace("nats:", "tls:");
    await Deno.writeTextFile(place.file("ours.creds"), creds());
    await Deno.writeTextFile(place.file("strange.creds"), creds({ issuer: stranger() }));
    const ours = {
      creds_file: place.file("ours.creds"),
      ca_cert: `${at}/ca.pem`,
      client_cert: `${at}/client.pem`,
      client_key: `${at}/client.key`,
    };
    const admin = flagsOf(accessOf("rollout", ours));
    const publish = (access: readonly string[]) =>
      runSaker(["rollout", "publish", place.file("out.bundle"), "--to", url, ...access]);
    const published = async (...args: string[]) => {
      await signed(place, "--serial", ...args);
      const { code, stdout, stderr } = await publish(admin);
      deepStrictEqual([code, stderr], [0, ""]);
      match(stdout, /^Published (rules|config) fleet \d: tls:/);
    };
    const strange = `${at}/strange/client`;
    const refused: readonly (readonly [keys: Readonly<Record<string, string>>, why: RegExp])[] = [
      [{ ...ours, creds_file: place.file("strange.creds") }, /refuses our credentials/],
      [{ ...ours, ca_cert: "" }, /no trusted authority has the server's certificate/],
      [
        { ...ours, client_cert: `${strange}.pem`, client_key: `${strange}.key` },
        // Whichever comes first: its word, or that nothing can be written any more.
        /refuses TLS with us, or our certificate|it may refuse our certificate, or want one/,
      ],
    ];
    await published("7", "--share", "33%", "--instead", "-r", place.file("new.yaml"));
    for (const [keys, why] of refused) {
      const { code, stderr } = await publish(flagsOf(accessOf("rollout", keys)));
      strictEqual(code, 1);
      match(stderr, why);
      strictEqual(stderr.trim().split("\n").length, 1, stderr);
    }

    const optionsOf = (keys: Readonly<Record<string, string>>) => [
      ...[`rollout.source=${url}`, `rollout.config_source=${url}`, "rollout.every=1h"],
      ...[...accessOf("rollout", keys), ...accessOf("nats_output", ours)],
      ...["nats_output.enabled=true", `nats_output.url=${url}`],
    ];
    const way: Way = {
      name: "NATS with TLS",
      options: optionsOf(ours),
      put: () => Promise.reject(new Error("it is published by saker itself")),
      standings: (kind) => standingsAt(url, admin, kind),
      end: () => server.end("SIGKILL"),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
    await using hosts = new Hosts(place);
    const [one, outside] = [hosts.inside[0]!, hosts.all.at(-1)!];
    await Promise.all([one, outside].map((host) => hosts.startOne(host, way.options)));
    await hosts.until("serial 7", [one], ({ in_force }) => in_force?.serial === 7);
    await hosts.until("waiting", [outside], ({ waits }) => waits?.serial === 7);
    await hosts.fires("Of the bundle", [one]);
    await hosts.fires("Of the host", [outside]);
    await stands(way, { waits: 1, has: 1 });

    await published("2", "--force", "--settings", place.file("hostile.yaml"));
    await stands(way, { refused: 2 }, "config");
    const status = () => runSaker(["rollout", "status", "--from", url, ...admin]);
    const { code, stdout } = await status();
    strictEqual(code, 1);
    match(stdout, /^Rules fleet 7, for 33 % of the hosts: 1 have it, 1 wait for their share\n/);
    match(stdout, /\nConfiguration fleet 2, for 100 % of the hosts: 0 have it, 2 have refused it/);
    match(
      stdout,
      /\d+ s ago +refused: rollout fleet 2: hostile\.yaml:1: program_output: the key is never/,
    );
    await published("3", "--settings", place.file("settings.yaml"));
    await stands(way, { has: 2 }, "config");
    const fields = await hosts.fires("Of the bundle", [one]);
    strictEqual(fields[0]!["fleet"], "blue");
    const after = await status();
    strictEqual(after.code, 0, after.stdout);
    match(after.stdout, /\nConfiguration fleet 3, for 100 % of the hosts: 2 have it\n/);

    // What comes while the server is away is taken when it is back.
    await server.end("SIGKILL");
    await server.again();
    await published("8", "--instead", "-r", place.file("new.yaml"));
    await hosts.until("serial 8", [one, outside], ({ in_force }) => in_force?.serial === 8);

    const third = hosts.inside[1]!;
    const [keys, why] = refused[2]!;
    await hosts.startOne(third, optionsOf(keys));
    const reason = await eventually("the reason of the third", async () => {
      const { reason } = (await hosts.of(third).health())?.body as { reason?: string };
      return reason !== undefined && /rollout of rules/.test(reason) ? reason : undefined;
    });
    match(reason, why);
    await hosts.fires("Of the host", [third]);
    await stands(way, { behind: 1, has: 2 });
  },
});
