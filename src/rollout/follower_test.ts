// What a host does with what its source hands over, look by look: offered once, kept once it was
// taken, and nothing lost by a disk or a server that fails in between.
import { deepStrictEqual, match, strictEqual } from "node:assert";
import type { Contents } from "./contents.ts";
import { makeBundle } from "./envelope.ts";
import { Follower } from "./follower.ts";
import { makeKeys, readPrivateKey, readPublicKeys } from "./keys.ts";
import { paceMs } from "./source.ts";
import { Store } from "./store.ts";

const { privatePem, publicPem } = await makeKeys();
const key = await readPrivateKey(privatePem);
const keys = await readPublicKeys(publicPem);

function bundle(
  serial: number,
  more: Partial<Contents> = {},
  by = key,
): Promise<Uint8Array<ArrayBuffer>> {
  const times = { issuedMs: 0, expiresMs: 1_000_000 };
  const whom = { name: "fleet", share: 100, hosts: [], labels: [] };
  const files = [{ name: "a.yaml", text: `# ${serial}` }];
  const of = { kind: "rules", combine: "after", serial, files } as const;
  return makeBundle({ ...times, ...whom, ...of, ...more }, by);
}

/** A host with a directory of its own, and what its source gives next. */
class Scene implements Disposable {
  readonly path = Deno.makeTempDirSync();
  readonly directory = `${this.path}/state`;
  readonly offered: number[] = [];
  readonly told: string[] = [];
  readonly refusals: string[] = [];
  next: Uint8Array<ArrayBuffer> | Error | undefined;
  refusal: string | undefined;
  keys = keys;
  name = "";
  nowMs = 1_000;
  follower!: Follower;

  /** As a start does. */
  async begin(): Promise<void> {
    const store = new Store(this.directory, "rules");
    this.follower = new Follower({
      kind: "rules",
      everyMs: 60_000,
      random: () => 0.5,
      source: {
        ask: () =>
          this.next instanceof Error ? Promise.reject(this.next) : Promise.resolve(this.next),
      },
      keys: this.keys,
      host: { name: "h", labels: [] },
      wantedName: this.name,
      store,
      kept: await store.read({ keys: this.keys, name: this.name }),
      offer: ({ serial }) => {
        this.offered.push(serial);
        return Promise.resolve(this.refusal === undefined ? {} : { refused: this.refusal });
      },
      onReport() {},
      log: (_level, line) => void this.told.push(line),
      onRefused: (line) => void this.refusals.push(line),
      now: () => this.nowMs,
    });
  }

  async gives(next: Uint8Array<ArrayBuffer> | Error | undefined) {
    this.next = next;
    await this.follower.look();
    return this.follower.report;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

Deno.test("a follower offers a bundle once, and has it again after a start", async () => {
  using scene = new Scene();
  await scene.begin();
  const seven = await bundle(7);
  deepStrictEqual((await scene.gives(seven)).in_force, { name: "fleet", serial: 7 });
  await scene.gives(undefined);
  await scene.gives(seven);
  await scene.begin();
  deepStrictEqual(scene.follower.report.in_force, { name: "fleet", serial: 7 });
  await scene.gives(seven);
  deepStrictEqual(scene.offered, [7]);
  strictEqual((await scene.gives(await bundle(6))).refused?.why, "stale");
  strictEqual((await scene.gives(await bundle(7, { share: 99 }))).refused?.why, "stale");
  strictEqual(Deno.statSync(`${scene.directory}/rules.bundle`).mode! & 0o777, 0o600);
});

Deno.test("a follower that only saw a bundle refuses what is older after a start", async () => {
  using scene = new Scene();
  await scene.begin();
  strictEqual((await scene.gives(await bundle(9, { share: 0 }))).waits?.serial, 9);
  await scene.begin();
  strictEqual((await scene.gives(await bundle(8))).refused?.why, "stale");
  deepStrictEqual(scene.offered, []);
});

Deno.test("a follower offers what the engine refused again when something changed", async () => {
  using scene = new Scene();
  await scene.begin();
  scene.refusal = "no macro m";
  const seven = await bundle(7);
  for (let look = 0; look < 3; look++) await scene.gives(seven);
  deepStrictEqual(scene.offered, [7]);
  strictEqual(scene.follower.report.refusals.bad_rules, 1);
  // What came in between is not what is told for good.
  strictEqual((await scene.gives(new Uint8Array(8))).refused?.why, "malformed");
  strictEqual((await scene.gives(seven)).refused?.why, "bad_rules");
  deepStrictEqual(scene.offered, [7]);
  scene.refusal = undefined;
  scene.follower.again();
  const { in_force, refused } = await scene.gives(undefined);
  deepStrictEqual([scene.offered, in_force?.serial, refused], [[7, 7], 7, null]);
  // What comes again behind a good one is told again.
  const page = new TextEncoder().encode("<html>");
  for (const [next, count] of [[page, 2], [page, 2], [seven, 2], [page, 3]] as const) {
    strictEqual((await scene.gives(next)).refusals.malformed, count);
  }
});

Deno.test("a follower takes a bundle when its time has come", async () => {
  using scene = new Scene();
  await scene.begin();
  const early = await bundle(7, { issuedMs: 900_000 });
  strictEqual((await scene.gives(early)).refused?.why, "not_yet_issued");
  scene.nowMs = 800_000;
  strictEqual((await scene.gives(undefined)).in_force?.serial, 7);
});

Deno.test("a follower tells once of a source and of a disk that fail", async () => {
  using scene = new Scene();
  await scene.begin();
  for (let look = 0; look < 3; look++) await scene.gives(new Error("no answer"));
  const { trouble, source: { failed, asked } } = scene.follower.report;
  match(trouble!, /cannot be asked: no answer/);
  deepStrictEqual([failed, asked, scene.told.length], [3, 3, 1]);
  // A directory stands where the bundle goes.
  Deno.mkdirSync(`${scene.directory}/rules.bundle`);
  const seven = await bundle(7);
  for (let look = 0; look < 3; look++) await scene.gives(seven);
  match(scene.follower.report.trouble!, /Cannot write .*rules\.bundle/);
  deepStrictEqual(scene.follower.report.in_force, { name: "fleet", serial: 7 });
  Deno.removeSync(`${scene.directory}/rules.bundle`);
  strictEqual((await scene.gives(undefined)).trouble, null);
  await scene.begin();
  deepStrictEqual([scene.follower.report.in_force?.serial, scene.offered], [7, [7]]);
});

Deno.test("a directory that others can write into, and a broken mark, are errors", async () => {
  using scene = new Scene();
  Deno.mkdirSync(scene.directory);
  Deno.chmodSync(scene.directory, 0o770);
  match(await scene.begin().catch(String) as string, /is not private/);
  Deno.chmodSync(scene.directory, 0o700);
  Deno.writeTextFileSync(`${scene.directory}/rules.seen`, "{}");
  match(await scene.begin().catch(String) as string, /rules\.seen.*broken/);
});

Deno.test("a key that went takes its bundle and its serials along", async () => {
  const stolen = await makeKeys();
  const thief = await readPrivateKey(stolen.privatePem);
  using scene = new Scene();
  scene.keys = [...await readPublicKeys(stolen.publicPem), ...keys];
  await scene.begin();
  await scene.gives(await bundle(9));
  const most = Number.MAX_SAFE_INTEGER;
  strictEqual((await scene.gives(await bundle(most, {}, thief))).in_force?.serial, most);
  strictEqual((await scene.gives(await bundle(10))).refused?.why, "stale");
  scene.keys = keys;
  await scene.begin();
  deepStrictEqual(scene.follower.report.in_force, null);
  strictEqual((await scene.gives(await bundle(most, {}, thief))).refused?.why, "unknown_key");
  strictEqual((await scene.gives(await bundle(8))).refused?.why, "stale");
  strictEqual((await scene.gives(await bundle(10))).in_force?.serial, 10);
});

Deno.test("a bundle that was kept is not used under another name, or changed on disk", async () => {
  using scene = new Scene();
  await scene.begin();
  await scene.gives(await bundle(7));
  scene.name = "others";
  await scene.begin();
  deepStrictEqual(scene.follower.report.in_force, null);
  scene.name = "fleet";
  await scene.begin();
  deepStrictEqual(scene.follower.report.in_force, { name: "fleet", serial: 7 });
  const path = `${scene.directory}/rules.bundle`;
  const bytes = Deno.readFileSync(path);
  bytes[bytes.length - 4]! ^= 1;
  Deno.writeFileSync(path, bytes);
  await scene.begin();
  deepStrictEqual(scene.follower.report.in_force, null);
  strictEqual((await scene.gives(await bundle(6))).refused?.why, "stale");
});

Deno.test("a source that is down is asked less and less, and told since when", async () => {
  using scene = new Scene();
  await scene.begin();
  const waits: number[] = [];
  for (let look = 0; look < 6; look++) {
    scene.next = look < 5 ? new Error("no answer") : undefined;
    waits.push(await scene.follower.look());
    scene.nowMs += 1_000;
    const { source } = scene.follower.report;
    strictEqual(source.down_since, look < 5 ? new Date(1_000).toISOString() : null);
    strictEqual(source.in_a_row, look < 5 ? look + 1 : 0);
    strictEqual(source.next, new Date(scene.nowMs - 1_000 + waits.at(-1)!).toISOString());
  }
  deepStrictEqual(waits, [90_000, 180_000, 360_000, 675_000, 675_000, 60_000]);
  // By chance, so that hosts do not ask together; never sooner than every minute is asked for.
  deepStrictEqual([0, 1].map((random) => paceMs(60_000, 0, random)), [54_000, 66_000]);
  deepStrictEqual([0, 1].map((random) => paceMs(60_000, 1, random)), [60_000, 120_000]);
  deepStrictEqual([0, 1].map((random) => paceMs(3_600_000, 99, random)), [1_800_000, 3_600_000]);
});

Deno.test("bundles that nobody signed are told of once a minute, and all are counted", async () => {
  using scene = new Scene();
  await scene.begin();
  const junk = (number: number) => new TextEncoder().encode(`junk ${number}`);
  for (let number = 0; number < 240; number++) {
    scene.nowMs += 1_000;
    await scene.gives(junk(number));
  }
  strictEqual(scene.refusals.length, 4);
  strictEqual(scene.follower.report.refusals.malformed, 240);
  // One that is signed is told at once.
  await scene.gives(await bundle(7, { expiresMs: 1 }));
  match(scene.refusals.at(-1)!, /bundle 7 is refused: it expired/);
});
