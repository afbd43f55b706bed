// Outputs whose other side is slow, stuck, refuses, is cut off, full or not there: the others lose
// nothing, order is kept, and what the spool has is delivered when the other side is back, also
// after saker was killed. With SAKER_TEST_ALERTS=100000 so many alerts.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import {
  eventually,
  freePort,
  inOrder,
  openedIn,
  OutputsPlace,
  receiver,
} from "./outputs/place.ts";

const ALERTS = Number(Deno.env.get("SAKER_TEST_ALERTS") ?? "1500");

/** Beside the one that fails: a file that must get all. */
function file(place: OutputsPlace): string {
  return `file_output={enabled: true, filename: ${place.file("alerts")}}`;
}

function fileHasAll(place: OutputsPlace, to = ALERTS): void {
  inOrder(openedIn(Deno.readTextFileSync(place.file("alerts"))), 0, to);
}

/** A request that is not answered in time is sent again, whether it arrived or not. */
const http = (url: string) => `http_output={enabled: true, url: "${url}", timeout: 60000}`;

Deno.test("a server that fails for a while gets all in the same run, in order, once", async () => {
  for (const status of [500, 429, 401]) {
    using place = new OutputsPlace();
    await using web = receiver((at) => at === 20 || at === 700 ? status : 200);
    const { code, error } = await place.replayed(place.capture(0, ALERTS), [
      file(place),
      http(web.url),
    ]);
    strictEqual(code, 0, error);
    fileHasAll(place);
    inOrder(web.taken, 0, ALERTS);
    match(error, new RegExp(`http_output.url 127.0.0.1:\\d+: the server answers ${status}; they`));
    match(error, /takes alerts again/);
  }
});

Deno.test("a replay brings a slow output no more than may wait for it: none is lost", async () => {
  using place = new OutputsPlace();
  const late = () => new Promise<number>((end) => setTimeout(() => end(200), 500));
  await using web = receiver((at) => at === 0 ? late() : 200);
  const { code, error } = await place.replayed(place.capture(0, ALERTS), [
    ...[file(place), http(web.url), "outputs_queue.capacity=10"],
  ]);
  strictEqual(code, 0, error);
  fileHasAll(place);
  inOrder(web.taken, 0, ALERTS);
});

Deno.test("a server that refuses some alerts gets the others", async () => {
  using place = new OutputsPlace();
  await using web = receiver((at) => at % 100 === 99 ? 400 : 200);
  const { error } = await place.replayed(place.capture(0, 1000), [file(place), http(web.url)]);
  fileHasAll(place, 1000);
  strictEqual(web.taken.length, 990);
  match(error, /Alerts that an output could not take: 10\n/);
});

Deno.test("what a server did not take is on disk, and goes first in the next run", async () => {
  const cases: [string, (at: number) => number | Promise<number>][] = [
    ["refusing", () => 503],
    ["token expired", () => 401],
    ["cut in the middle", (at) => at < 200 ? 200 : 503],
    ["stuck", (at) => at < 200 ? 200 : new Promise(() => {})],
  ];
  for (const [name, status] of cases) {
    using place = new OutputsPlace();
    const port = freePort();
    const options = [file(place), http(`http://127.0.0.1:${port}/`), place.spool()];
    // The first one is not asked to end well: it may be stuck.
    const first = receiver(status, port);
    const quick = [...options, "output_timeout=300"];
    const { error } = await place.replayed(place.capture(0, ALERTS), quick);
    fileHasAll(place);
    const before = first.taken;
    await first.abort();
    await using second = receiver(() => 200, port);
    await place.replayed(place.capture(ALERTS, ALERTS + 10), options);
    const all = [...before, ...second.taken];
    inOrder(all, 0, ALERTS + 10);
    ok(!error.includes("could not take"), `${name}: ${error}`);
  }
});

Deno.test("a server that comes late gets all from the disk in the same run", async () => {
  using place = new OutputsPlace();
  const port = freePort();
  // The file is written last: a FIFO that nobody reads holds the end of the run back.
  const child = place.replay(place.capture(0, ALERTS), [
    http(`http://127.0.0.1:${port}/`),
    place.spool(),
    "output_timeout=60000",
  ]);
  await eventually("a spool", () => spooledFiles(place).length > 0 || undefined);
  await using web = receiver(() => 200, port);
  const { code } = await child.output();
  strictEqual(code, 0);
  inOrder(web.taken, 0, ALERTS);
  deepStrictEqual(spooledFiles(place), []);
});

function spooledFiles(place: OutputsPlace, output = "http"): string[] {
  try {
    return [...Deno.readDirSync(place.file(`spool/${output}`))].map(({ name }) => name)
      .filter((name) => name.endsWith(".seg"));
  } catch {
    return [];
  }
}

function spooledBytes(place: OutputsPlace): number {
  return spooledFiles(place).reduce((sum, name) => {
    try {
      return sum + Deno.statSync(place.file(`spool/http/${name}`)).size;
    } catch {
      // Its alerts have been delivered just now.
      return sum;
    }
  }, 0);
}

Deno.test("a server that is slow holds nobody else back, and gets all later", async () => {
  using place = new OutputsPlace();
  let isSlow = true;
  await using web = receiver(async () => {
    if (isSlow) await new Promise((resolve) => setTimeout(resolve, 1_500));
    return 200;
  });
  const options = [file(place), http(web.url), place.spool()];
  const { code, error } = await place.replayed(place.capture(0, ALERTS), [
    ...options,
    ...[`outputs_queue.capacity=${ALERTS}`, "output_timeout=1000"],
  ]);
  strictEqual(code, 0, error);
  fileHasAll(place);
  ok(web.taken.length < ALERTS, `${web.taken.length}`);
  isSlow = false;
  await place.replayed(place.capture(ALERTS, ALERTS + 1), options);
  inOrder(web.taken, 0, ALERTS + 1);
});

Deno.test("a stuck program holds nobody else back", async () => {
  using place = new OutputsPlace();
  const { code, error } = await place.replayed(place.capture(0, ALERTS), [
    file(place),
    "program_output={enabled: true, keep_alive: true, program: exec sleep 6}",
    "output_timeout=200",
  ]);
  strictEqual(code, 0, error);
  fileHasAll(place);
});

Deno.test("killed at any moment, saker delivers what it had spooled, whole", async () => {
  using place = new OutputsPlace();
  const port = freePort();
  const options = [http(`http://127.0.0.1:${port}/`), place.spool(), "output_timeout=60000"];
  const rounds = Number(Deno.env.get("SAKER_TEST_KILLS") ?? "4");
  for (let round = 0; round < rounds; round++) {
    // Each round has numbers of its own, and leaves what was spooled to the next.
    const before = spooledBytes(place);
    const child = place.replay(place.capture(round * 1000, round * 1000 + 1000), options);
    const output = child.output();
    // Otherwise a slow machine would have it killed before it has begun.
    await eventually("more on disk", () => spooledBytes(place) > before || undefined);
    await new Promise((resolve) => setTimeout(resolve, round * 7));
    child.kill("SIGKILL");
    await output;
  }
  // Each line that arrives is whole: the receiver decodes it.
  await using web = receiver(() => 200, port);
  const { error } = await place.replayed(place.capture(900_000, 900_010), options);
  ok(web.taken.length > 10, error);
  deepStrictEqual(web.taken, [...web.taken].sort((one, other) => one - other), "in order");
  strictEqual(new Set(web.taken).size, web.taken.length, "once");
  inOrder(web.taken.slice(-10), 900_000, 900_010);
  for (let round = 0; round < rounds; round++) {
    const ofRound = web.taken.filter((number) => Math.floor(number / 1000) === round);
    inOrder(ofRound, round * 1000, round * 1000 + ofRound.length);
  }
});

Deno.test("a full spool takes no more; what is beyond it is told", async () => {
  using place = new OutputsPlace();
  const port = freePort();
  const options = [http(`http://127.0.0.1:${port}/`), place.spool(1)];
  const count = 4000;
  const { error } = await place.replayed(place.capture(0, count), [
    ...options,
    "output_timeout=300",
  ]);
  const lost = Number(/Alerts that an output could not take: (\d+)\n/.exec(error)?.[1]);
  ok(lost > 0, error);
  const bytes = spooledBytes(place);
  ok(bytes > 900_000 && bytes <= 1_000_000, `${bytes}`);
  await using web = receiver(() => 200, port);
  await place.replayed(place.capture(count, count + 1), options);
  strictEqual(web.taken.length, count - lost + 1);
  deepStrictEqual(web.taken, [...web.taken].sort((one, other) => one - other));
});
