// What a host does with what its source hands over, look by look: offered once, kept once it was
// taken, and nothing lost by a disk or a server that fails in between.
import { deepStrictEqual, match, strictEqual } from "node:assert";
import type { Contents } from "./contents.ts";
import { makeBundle } from "./envelope.ts";
import { Follower } from "./follower.ts";
import { makeKeys, readPrivateKey, readPublicKeys } from "./keys.ts";
import { Store } from "./store.ts";

const { privatePem, publicPem } = await makeKeys();
const key = await readPrivateKey(privatePem);
const keys = await readPublicKeys(publicPem);

function bundle(serial: number, more: Partial<Contents> = {}): Promise<Uint8Array<ArrayBuffer>> {
  const times = { issuedMs: 0, expiresMs: 1_000_000 };
  const whom = { name: "fleet", share: 100, hosts: [], labels: [] };
  const files = [{ name: "a.yaml", text: `# ${serial}` }];
  const of = { kind: "rules", combine: "after", serial, files } as const;
  return makeBundle({ ...times, ...whom, ...of, ...more }, key);
}

/** A host with a directory of its own, and what its source gives next. */
class Scene implements Disposable {
  readonly path = Deno.makeTempDirSync();
  readonly directory = `${this.path}/state`;
  readonly offered: number[] = [];
  readonly told: string[] = [];
  next: Uint8Array<ArrayBuffer> | Error | undefined;
  refusal: string | undefined;
  nowMs = 1_000;
  follower!: Follower;

  /** As a start does. */
  async begin(): Promise<void> {
    const store = new Store(this.directory);
    this.follower = new Follower({
      source: {
        ask: () =>
          this.next instanceof Error ? Promise.reject(this.next) : Promise.resolve(this.next),
      },
      keys,
      host: { name: "h", labels: [] },
      wantedName: "",
      store,
      kept: await store.read(keys),
      offer: ({ serial }) => {
        this.offered.push(serial);
        return Promise.resolve(this.refusal === undefined ? {} : { refused: this.refusal });
      },
      onReport() {},
      log: (_level, line) => void this.told.push(line),
      onRefused() {},
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
  deepStrictEqual((await scene.gives(seven)).rules, { name: "fleet", serial: 7 });
  await scene.gives(undefined);
  await scene.gives(seven);
  await scene.begin();
  deepStrictEqual(scene.follower.report.rules, { name: "fleet", serial: 7 });
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
  const { rules, refused } = await scene.gives(undefined);
  deepStrictEqual([scene.offered, rules?.serial, refused], [[7, 7], 7, null]);
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
  strictEqual((await scene.gives(undefined)).rules?.serial, 7);
});

Deno.test("a follower tells once of a source and of a disk that fail", async () => {
  using scene = new Scene();
  await scene.begin();
  for (let look = 0; look < 3; look++) await scene.gives(new Error("no answer"));
  const { trouble, failed, asked } = scene.follower.report;
  match(trouble!, /cannot be asked: no answer/);
  deepStrictEqual([failed, asked, scene.told.length], [3, 3, 1]);
  // A directory stands where the bundle goes.
  Deno.mkdirSync(`${scene.directory}/rules.bundle`);
  const seven = await bundle(7);
  for (let look = 0; look < 3; look++) await scene.gives(seven);
  match(scene.follower.report.trouble!, /Cannot write .*rules\.bundle/);
  strictEqual(scene.follower.report.rules?.serial, 7);
  Deno.removeSync(`${scene.directory}/rules.bundle`);
  strictEqual((await scene.gives(undefined)).trouble, null);
  await scene.begin();
  deepStrictEqual([scene.follower.report.rules?.serial, scene.offered], [7, [7]]);
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
