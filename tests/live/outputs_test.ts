// Where alerts and captures go, on file systems that are full, that hang, and with no descriptor
// left: nothing is lost that need not be, what is lost is told, and saker goes on seeing.
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { type Alert, eventually, Saker } from "./saker.ts";
import { has, isRoot, linkOf, ownMounts, Place, run, shell } from "./trigger.ts";

const RULE = "Outputs test";

/** Rules of one rule: a file `secret…` of the place is opened; each starts a capture. */
async function withRule(place: Place): Promise<string> {
  const file = place.file("rules.yaml");
  const condition = `evt.type in (open, openat) and fd.name startswith ${place.file("secret")}`;
  await Deno.writeTextFile(
    file,
    `- {rule: ${RULE}, desc: d, condition: "${condition}", output: "Opened %fd.name", ` +
      "priority: WARNING, capture: true, capture_duration: 1}\n",
  );
  return file;
}

/** Opens the place's file of that name again and again until saker tells of it. */
async function seen(saker: Saker, place: Place, name: string): Promise<Alert> {
  const path = place.file(`secret-${name}`);
  await Deno.writeTextFile(path, "");
  return await eventually(`the alert of ${name}`, async () => {
    await shell(place.marker, `cat ${path}`);
    return saker.alerts().find(({ output_fields }) => output_fields["fd.name"] === path);
  });
}

/** Behind a script of shell in a mount namespace of its own, whose mounts end with saker. */
async function behind(script: string): Promise<string[]> {
  return ["unshare", ...await ownMounts(), "sh", "-c", `${script} && exec "$0" "$@"`];
}

function outputs(saker: Saker) {
  return saker.health().then((health) =>
    health?.body.outputs as { name: string; state: string; lost: number; reason?: string }[]
  );
}

Deno.test({
  name: "an alert that a full disk cut off does not spoil the next",
  ignore: !isRoot() || !has("unshare"),
  async fn() {
    await using place = new Place();
    const small = place.file("small");
    await Deno.mkdir(small);
    const rules = await withRule(place);
    // Four pages: three are taken, the alerts fill the last.
    const script = `mount -t tmpfs -o size=16k none ${small} && ` +
      `head -c 12288 /dev/zero > ${small}/filler`;
    await using saker = await Saker.start([place.marker], {
      args: [
        ...["-r", rules, "-o", "json_output=true"],
        ...["-o", `file_output={enabled: true, filename: ${small}/alerts}`],
      ],
      through: await behind(script),
    });
    const inside = `/proc/${saker.pid}/root${small}`;
    for (let count = 0;; count++) {
      await seen(saker, place, `${count}`);
      const file = (await outputs(saker))?.find(({ name }) => name === "file");
      if (file?.state !== "failing") continue;
      assertIncludes(file.reason!, "no space is left");
      break;
    }
    await Deno.remove(`${inside}/filler`);
    const last = await seen(saker, place, "last");
    const lines = await eventually("the last alert", async () => {
      const text = await Deno.readTextFile(`${inside}/alerts`);
      return text.endsWith("\n") && text.includes("secret-last") ? text.split("\n") : undefined;
    });
    const cut = lines.slice(0, -1).filter((line) => !isJson(line));
    assert(cut.length <= 1, cut.join("\n"));
    const [told] = lines.filter(isJson).map((line) => JSON.parse(line)).filter((one) =>
      one.output_fields["fd.name"] === last.output_fields["fd.name"]
    );
    assertEquals(told.rule, RULE);
    await eventually("all to be well", async () => {
      return (await outputs(saker))?.every(({ state }) => state === "ok") || undefined;
    });
  },
});

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

Deno.test({
  name: "what a full disk did not take is on another one, and is written when there is room",
  ignore: !isRoot() || !has("unshare"),
  async fn() {
    await using place = new Place();
    const small = place.file("small");
    await Deno.mkdir(small);
    const rules = await withRule(place);
    const script = `mount -t tmpfs -o size=16k none ${small} && ` +
      `touch ${small}/alerts && (head -c 20000 /dev/zero > ${small}/filler; true)`;
    await using saker = await Saker.start([place.marker], {
      args: [
        ...["-r", rules, "-o", "json_output=true"],
        ...["-o", `file_output={enabled: true, filename: ${small}/alerts}`],
        ...["-o", `spool={enabled: true, directory: ${place.file("spool")}}`],
      ],
      through: await behind(script),
    });
    const inside = `/proc/${saker.pid}/root${small}`;
    for (const name of ["first", "second", "third"]) await seen(saker, place, name);
    await eventually("alerts on the other disk", () => {
      const names = [...Deno.readDirSync(place.file("spool/file"))].map(({ name }) => name);
      return names.some((name) => name.endsWith(".seg")) || undefined;
    });
    await Deno.remove(`${inside}/filler`);
    Deno.kill(saker.pid, "SIGUSR1");
    const text = await eventually("all alerts", async () => {
      const text = await Deno.readTextFile(`${inside}/alerts`);
      return text.includes("secret-third") ? text : undefined;
    });
    const places = ["first", "second", "third"].map((name) => text.indexOf(`secret-${name}`));
    assert(places.every((at, index) => at > (places[index - 1] ?? -1)), text);
    assertEquals((await saker.stop()).code, 0);
  },
});

Deno.test({
  name: "alerts and captures are written although no descriptor is left",
  ignore: !isRoot() || !has("prlimit"),
  // A connection that waits for its answer is closed under its read.
  sanitizeOps: false,
  async fn() {
    await using place = new Place();
    const rules = await withRule(place);
    const file = place.file("alerts");
    await using saker = await Saker.start([place.marker], {
      args: [
        ...["-r", rules, "-o", `file_output={enabled: true, filename: ${file}}`],
        ...["-o", `capture={enabled: true, path_prefix: ${place.file("capture")}}`],
      ],
    });
    await seen(saker, place, "first");
    const captures = () =>
      [...Deno.readDirSync(place.path)].filter(({ name }) => name.endsWith(".scap")).length;
    await eventually("the first capture to end", async () => {
      const { captures } = (await saker.health())!.body as { captures?: { started: number } };
      return captures!.started > 0 || undefined;
    });
    const before = captures();
    using crowd = new Crowd(saker.port);
    await eventually("no descriptor to be left", async () => {
      const limit = 1 + Math.max(...reserveOf(saker.pid));
      assertEquals((await run("prlimit", [`--pid=${saker.pid}`, `--nofile=${limit}:`])).code, 0);
      await crowd.take(freeBelow(limit, saker.pid));
      return await isAnswered(saker.port) ? undefined : true;
    });
    await seen(saker, place, "second");
    await eventually("the second alert in the file", async () => {
      return (await Deno.readTextFile(file)).includes("secret-second") || undefined;
    });
    // Each begins with a descriptor that the one before has given back.
    await eventually("three more captures", async () => {
      await shell(place.marker, `cat ${place.file("secret-second")}`);
      return captures() >= before + 3 || undefined;
    });
    assert(!saker.told.includes("too many files"), saker.told);
    assertEquals((await saker.stop()).code, 0);
  },
});

/** Connections that ask for nothing: each holds a descriptor of saker's. */
class Crowd implements Disposable {
  readonly #port: number;
  readonly #all: Deno.Conn[] = [];

  constructor(port: number) {
    this.#port = port;
  }

  async take(count: number): Promise<void> {
    for (; count > 0; count--) {
      this.#all.push(await Deno.connect({ hostname: "127.0.0.1", port: this.#port }));
    }
  }

  [Symbol.dispose](): void {
    for (const conn of this.#all) conn.close();
  }
}

/** Numbers that saker holds back: a limit above them is one that it could have met by itself. */
function reserveOf(pid: number): number[] {
  return openNumbers(pid).filter((number) =>
    number > 2 && linkOf(`/proc/${pid}/fd/${number}`) === "/dev/null"
  );
}

function freeBelow(limit: number, pid: number): number {
  return limit - openNumbers(pid).filter((number) => number < limit).length;
}

function openNumbers(pid: number): number[] {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].map(({ name }) => Number(name));
}

async function isAnswered(port: number): Promise<boolean> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(new TextEncoder().encode("GET /healthz HTTP/1.0\r\n\r\n"));
  const answer = conn.read(new Uint8Array(1)).catch(() => null).then((read) => read !== null);
  const late = Promise.withResolvers<false>();
  const timer = setTimeout(() => late.resolve(false), 1_000);
  const answered = await Promise.race([answer, late.promise]);
  clearTimeout(timer);
  return answered;
}
