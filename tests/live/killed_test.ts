// Saker killed at any moment of a storm and started again: nothing of it is left in the kernel or
// on disk, what its outputs got is whole and in order, and what it had spooled is delivered.
import { Chance } from "../../scripts/hostile/chance.ts";
import { Segments } from "../../src/alerts/spool/segments.ts";
import { assert, assertEquals } from "./expect.ts";
import { type KernelObject, kernelObjects, stillThere } from "./kernel_objects.ts";
import { type Alert, eventually, SAKER, Saker } from "./saker.ts";
import { Storm, stormNumber, stormRule } from "./storm.ts";
import { has, isFile, isRoot, Place } from "./trigger.ts";

/** SAKER_TEST_KILLS=50 is the long run. */
const KILLS = Number(Deno.env.get("SAKER_TEST_KILLS") ?? 5);
const SEED = Number(Deno.env.get("SAKER_TEST_SEED") ?? 11);

/** Sixty files a second: a receiver on a busy machine takes more. */
const STORM = { together: 3, pauseMs: 50 };

const RULE = "Numbered";

type Received = Alert & { readonly id: string; readonly seq: number };

Deno.test({
  name: "killed at any moment of a storm, saker begins again clean, and delivers what it spooled",
  ignore: !isRoot() || !has("python3") || !isFile(SAKER),
  async fn() {
    await using place = new Place();
    const chance = new Chance(SEED);
    await using web = receiver();
    await Deno.writeTextFile(place.file("rules.yaml"), stormRule(RULE, place));
    await Deno.mkdir(place.file("tmp"));
    const options = {
      args: [
        ...["-r", place.file("rules.yaml"), "--pidfile", place.file("pid")],
        ...["json_output=true", "stdout_output.enabled=false", "watch_config_files=false"]
          .concat(`file_output={enabled: true, filename: ${place.file("alerts")}}`)
          .concat(`http_output={enabled: true, url: "${web.url}"}`)
          .concat(`spool={enabled: true, directory: ${place.file("spool")}, max_mb: 64}`)
          .flatMap((option) => ["-o", option]),
      ],
      env: { TMPDIR: place.file("tmp") },
    };
    const spooled: string[] = [];
    let created: number;
    {
      await using storm = Storm.start(place, STORM);
      for (let kill = 0; kill < KILLS; kill++) {
        // The first one spools for sure, the others as chance will have it.
        web.answers(kill === 0 ? 503 : chance.of([200, 503, 429]));
        const inStart = kill > 0 && chance.below(4) === 0;
        const saker = inStart
          ? Saker.launch([place.marker], options)
          : await begunClean(place, options);
        if (kill === 0) await eventually("a spool", () => spoolOf(place)[0]);
        await pause(chance.below(inStart ? 2_500 : 1_500));
        const objects = kernelObjects(saker.pid);
        assert(inStart || objects.length > 0, "saker holds programs of the kernel");
        await saker.stop("SIGKILL");
        await gone(objects);
        spooled.push(...spoolOf(place));
      }
      web.answers(200);
      await using saker = await begunClean(place, options);
      created = await storm.end();
      await eventually("the last file", () => web.numbers().at(-1) === created || undefined);
      await eventually("all outputs to be well", async () => {
        const outputs = (await saker.health())?.body["outputs"] as { state: string }[];
        return outputs?.every(({ state }) => state === "ok") || undefined;
      });
      const { code, stderr } = await saker.stop();
      assertEquals(code, 0, stderr);
    }
    const ids = new Set(web.received.map(({ id }) => id));
    assert(spooled.length > 0, "something was spooled");
    assertEquals(spooled.filter((id) => !ids.has(id)), [], "what was spooled has arrived");
    inOrder(web.received);
    assertEquals(web.complaints, []);
    const { received, torn } = inFile(place);
    inOrder(received);
    assert(torn <= KILLS, `${torn} lines of the file are torn`);
    assertEquals(received.filter(({ rule }) => rule === RULE).map(stormNumber).at(-1), created);
    assertEquals(spoolOf(place), []);
    assertEquals([...Deno.readDirSync(place.file("tmp"))].map(({ name }) => name), []);
  },
});

/** Starts saker over what the one before left, and holds what it says then. */
async function begunClean(
  place: Place,
  options: Parameters<typeof Saker.launch>[1],
): Promise<Saker> {
  const saker = Saker.launch([place.marker], options);
  try {
    await eventually("saker to see", async () => {
      return Number((await saker.health())?.body["events"] ?? 0) > 0 || undefined;
    });
    assertEquals(Deno.readTextFileSync(place.file("pid")), `${saker.pid}`);
    assert(!/another saker|Cannot open|in use/i.test(saker.told), saker.told);
    return saker;
  } catch (error) {
    await saker.stop("SIGKILL");
    throw error;
  }
}

async function gone(objects: readonly KernelObject[]): Promise<void> {
  let left: readonly string[] = [];
  try {
    // The kernel frees them a little later.
    await eventually("the kernel to have let go", async () => {
      left = await stillThere(objects);
      return left.length === 0 || undefined;
    });
  } catch (error) {
    throw new Error(`of ${objects.length} objects are left: ${left.join(", ")}`, { cause: error });
  }
}

/** Ids of the alerts that lie in the spool of the HTTP output, read from a copy of it. */
function spoolOf(place: Place): string[] {
  const [from, to] = [place.file("spool/http"), place.file("copy")];
  Deno.mkdirSync(to);
  try {
    for (const { name } of Deno.readDirSync(from)) {
      Deno.copyFileSync(`${from}/${name}`, `${to}/${name}`);
    }
    const segments = new Segments(to, Infinity);
    const ids: string[] = [];
    for (let read = segments.read(); read.length > 0; read = segments.read()) {
      for (const { text } of read) ids.push(checked(text).id);
      segments.done(read.length);
    }
    segments.close();
    return ids;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  } finally {
    Deno.removeSync(to, { recursive: true });
  }
}

/** An alert of ours, whole; throws where it is anything else. */
function checked(line: string): Received {
  const alert = JSON.parse(line) as Received;
  assertEquals(
    Object.keys(alert).sort(),
    [
      ...["degraded", "hostname", "id", "output", "output_fields", "priority", "rule", "seq"],
      ...["source", "tags", "time"],
    ].filter((key) => key !== "tags" || alert.source !== "internal"),
  );
  if (alert.rule === RULE) assert(stormNumber(alert) > 0, "it tells of a file");
  return alert;
}

/** Each alert came first after those of the files before; it may come again. */
function inOrder(received: readonly Received[]): void {
  const seen = new Set<string>();
  let last = 0;
  for (const alert of received.filter(({ rule }) => rule === RULE)) {
    if (seen.has(alert.id)) continue;
    seen.add(alert.id);
    const number = stormNumber(alert);
    assert(number > last, `file ${number} came after ${last}`);
    last = number;
  }
}

/** What the file holds; a line that a kill cut off is followed by whole ones. */
function inFile(place: Place): { received: Received[]; torn: number } {
  const lines = Deno.readTextFileSync(place.file("alerts")).split("\n");
  assertEquals(lines.pop(), "", "the last line is whole");
  const received: Received[] = [];
  let torn = 0;
  for (const line of lines) {
    // What is cut off has no end; all others are whole.
    if (line.startsWith("{") && line.endsWith("}")) received.push(checked(line));
    else torn++;
  }
  return { received, torn };
}

function receiver() {
  const received: Received[] = [];
  const complaints: string[] = [];
  let status = 200;
  const where = { hostname: "127.0.0.1", port: 0, onListen() {} };
  const server = Deno.serve(where, async (request) => {
    const answer = status;
    let text: string;
    try {
      text = await request.text();
    } catch {
      // Killed while it sent: not delivered.
      return new Response(null, { status: 400 });
    }
    try {
      const alert = checked(text);
      if (answer === 200) received.push(alert);
    } catch (error) {
      complaints.push(`${(error as Error).message}: ${text}`);
    }
    return new Response(null, { status: answer });
  });
  return {
    received,
    complaints,
    url: `http://127.0.0.1:${server.addr.port}/`,
    answers: (next: number) => status = next,
    numbers: () => received.filter(({ rule }) => rule === RULE).map(stormNumber),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
