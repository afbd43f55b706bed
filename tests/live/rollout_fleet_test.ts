// A roll-out to nine hosts, over a web server and over NATS: a third of them first, then all; and
// what none of them takes, whoever owns the server: a bad signature, another key, a bad rule, a
// replayed older one, one that expired, and configuration that would run a program.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { noNats } from "../nats_fixture.ts";
import {
  Hosts,
  NatsWay,
  prepare,
  SHARE,
  signed,
  stands,
  type Way,
  webWay,
} from "./rollout_scene.ts";
import { runSaker } from "./saker.ts";
import { Place } from "./trigger.ts";

async function rolledOut(place: Place, way: Way): Promise<void> {
  const sign = (serial: number, ...more: string[]) =>
    signed(place, "--serial", `${serial}`, ...more);
  const rules = ["--instead", "-r", place.file("new.yaml")];
  const third = await sign(7, "--share", `${SHARE}%`, ...rules);
  const all = await sign(10, ...rules);
  const broken = all.slice();
  broken[broken.length - 5]! ^= 1;
  const cases: [string, Uint8Array<ArrayBuffer>][] = [
    ["bad_signature", broken],
    ["unknown_key", await sign(11, "--key", place.file("other"), ...rules)],
    ["bad_rules", await sign(8, "--force", "--instead", "-r", place.file("bad.yaml"))],
    ["stale", await sign(6, ...rules)],
    ["expired", await sign(9, "--expires", "100ms", ...rules)],
    ["malformed", new TextEncoder().encode("<html>")],
  ];
  await using hosts = new Hosts(place);
  const { inside } = hosts;
  const outside = hosts.all.filter((host) => !inside.includes(host));
  await way.put("rules", third);
  await hosts.start(way);

  await hosts.until("serial 7", inside, ({ in_force }) => in_force?.serial === 7);
  await hosts.until("waiting", outside, ({ waits }) => waits?.serial === 7);
  await hosts.fires("Of the bundle", inside);
  await hosts.fires("Of the host", outside);
  await stands(way, { waits: 6, has: 3 });

  const before = await hosts.serials();
  deepStrictEqual(before, [7, 7, 7, null, null, null, null, null, null]);
  for (const [why, bytes] of cases) {
    await way.put("rules", bytes);
    await hosts.until(why, hosts.all, ({ refused }) => refused?.why === why);
    deepStrictEqual(await hosts.serials(), before, why);
    if (why === "bad_rules") await stands(way, { refused: 9 });
  }
  match(hosts.of(outside[0]!).told, /bundle 8 is refused: [^]*ka\.vreb[^]*What is in force stays/);
  await hosts.fires("Of the bundle", inside);
  await hosts.fires("Of the host", outside);

  await way.put("rules", all);
  await hosts.until(
    "serial 10",
    hosts.all,
    (told) => told.in_force?.serial === 10 && told.refused === null,
  );
  await hosts.fires("Of the bundle", hosts.all);
  await stands(way, { has: 9 });

  await way.put("config", await sign(2, "--force", "--settings", place.file("hostile.yaml")));
  await hosts.until(
    "bad_config",
    hosts.all,
    ({ refused }) => refused?.why === "bad_config",
    "config",
  );
  await stands(way, { refused: 9 }, "config");
  match(hosts.of(inside[0]!).told, /hostile\.yaml:1: program_output: the key is never taken/);
  const [plain] = await hosts.fires("Of the bundle", [inside[0]!]);
  strictEqual(plain!["fleet"], undefined);
  await way.put(
    "config",
    await sign(3, "--share", `${SHARE}%`, "--settings", place.file("settings.yaml")),
  );
  await hosts.until("config 3", inside, ({ in_force }) => in_force?.serial === 3, "config");
  await hosts.until("waiting", outside, ({ waits }) => waits?.serial === 3, "config");
  await stands(way, { waits: 6, has: 3 }, "config");
  deepStrictEqual(
    (await hosts.fires("Of the bundle", hosts.all)).map(({ fleet }) => fleet),
    hosts.all.map((host) => inside.includes(host) ? "blue" : undefined),
  );

  // A start without a network has both.
  const again = inside[0]!;
  await hosts.stop(again);
  await way.end();
  // An output that nobody takes alerts from is another matter.
  const alone = way.options.filter((option) => !option.startsWith("nats_output."));
  await hosts.startOne(again, alone);
  await hosts.until("failures", [again], ({ source }) => source.in_a_row > 0);
  const { in_force, source } = (await hosts.told(again))!;
  strictEqual(in_force?.serial, 10);
  ok(Date.parse(source.down_since!) <= Date.now());
  const [kept] = await hosts.fires("Of the bundle", [again]);
  strictEqual(kept!["fleet"], "blue");
  match(
    String((await hosts.of(again).health())!.body.reason),
    /rollout of rules: the source cannot be asked[^]*rollout of config: the source cannot/,
  );
}

Deno.test("nine hosts over HTTP: a third first, what is not right never, then all", async () => {
  await using place = new Place();
  await using way = webWay();
  await prepare(place);
  await way.put("rules", new Uint8Array());
  await rolledOut(place, way);
});

Deno.test({
  name: "nine hosts over NATS: a third first, what is not right never, then all",
  ignore: noNats() !== undefined,
  async fn() {
    await using place = new Place();
    await using way = await NatsWay.start(place);
    await prepare(place);
    await rolledOut(place, way);
  },
});

Deno.test({
  name: "a bundle is published to NATS by who may, and never in place of a newer one",
  ignore: noNats() !== undefined,
  async fn() {
    await using place = new Place();
    await using way = await NatsWay.start(place);
    await prepare(place);
    const publish = (serial: number, ...more: string[]) =>
      signed(place, "--serial", `${serial}`, "-r", place.file("new.yaml")).then(() =>
        runSaker([
          ...["rollout", "publish", place.file("out.bundle"), "--to", way.url],
          ...more,
        ])
      );
    const first = await publish(7, ...way.admin);
    deepStrictEqual([first.code, first.stderr], [0, ""]);
    match(first.stdout, /^Published rules fleet 7: nats:/);
    for (const serial of [6, 7]) {
      const { code, stderr } = await publish(serial, ...way.admin);
      strictEqual(code, 1);
      match(stderr, /there is serial 7 already, hosts take higher ones \(--force\)/);
    }
    strictEqual((await publish(6, "--force", ...way.admin)).code, 0);
    const host = way.options.flatMap((option) => ["-o", option]);
    const denied = await publish(8, ...host);
    strictEqual(denied.code, 1);
    match(denied.stderr, /Cannot publish to nats:[^]*our account may not publish/);
    strictEqual(denied.stderr.trim().split("\n").length, 1, denied.stderr);
    const nobody = await publish(8);
    match(nobody.stderr, /Cannot publish to nats:[^]*refuses our credentials/);
  },
});
