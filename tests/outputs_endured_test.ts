// Every output while its other side is in trouble from the first fifth of the alerts on, and after
// it has recovered: the file beside it has all, and what the output could not take arrives from the
// disk, in order, once. With SAKER_TEST_ALERTS=100000 so many alerts, and the figures are printed.
import { match, ok, strictEqual } from "node:assert";
import { eventually, inOrder, opened, openedIn, OutputsPlace } from "./outputs/place.ts";
import { noRsyslog, Rsyslog } from "./outputs/rsyslog.ts";
import { type Trouble, TroubledServer } from "./outputs/trouble.ts";
import { ownCertificate } from "../src/alerts/outputs/message_fixture.ts";

const WANTED = Deno.env.get("SAKER_TEST_ALERTS");
const ALERTS = Number(WANTED ?? "600");
/** Where the trouble begins. */
const FROM = Math.floor(ALERTS / 5);

/** The least that one takes as a line. */
const ALERT_BYTES = 300;

interface Figures {
  /** Arrived before the trouble's end, and after it. */
  readonly before: number;
  readonly after: number;
  readonly seconds: readonly [number, number];
  readonly lost: number;
}

function tell(name: string, { before, after, seconds, lost }: Figures): void {
  if (WANTED === undefined) return;
  const [first, second] = seconds.map((of) => of.toFixed(1));
  const row = [name, before, first, after, second, lost].join(" | ");
  Deno.stdout.writeSync(new TextEncoder().encode(`| ${row} |\n`));
}

/** Beside the one in trouble: it must get all. */
const file = (place: OutputsPlace) =>
  `file_output={enabled: true, filename: ${place.file("alerts")}}`;

function fileHasAll(place: OutputsPlace, to: number): void {
  inOrder(openedIn(Deno.readTextFileSync(place.file("alerts"))), 0, to);
}

async function timed<T>(work: Promise<T>): Promise<[T, number]> {
  const begun = performance.now();
  return [await work, (performance.now() - begun) / 1000];
}

/** None comes twice or too late, and they are missing at so many places at the most. */
function inOrderWithGaps(numbers: readonly number[], gapsMax: number): void {
  const steps = numbers.slice(1).map((number, at) => number - numbers[at]!);
  strictEqual(steps.findIndex((step) => step < 1), -1, "one comes twice or too late");
  const gaps = steps.filter((step) => step > 1);
  ok(gaps.length <= gapsMax, `missing at ${gaps.length} places: ${gaps}`);
}

/** A run in trouble, and one of an alert more after it; the file has all of both. */
async function endured(
  place: OutputsPlace,
  options: readonly string[],
  { recover, arrived, lost = 0, patienceMs = 500, mayBeLate = false }: {
    readonly recover: () => void | Promise<void>;
    readonly arrived: () => number[];
    /** Alerts that the other side may lose. */
    readonly lost?: number;
    /** How long the run waits for an output that fails. */
    readonly patienceMs?: number;
    /** The trouble may come after the last alert was sent. */
    readonly mayBeLate?: boolean;
  },
): Promise<Omit<Figures, "lost"> & { readonly error: string }> {
  const all = [file(place), place.spool(256), ...options];
  const quick = [...all, `output_timeout=${patienceMs}`];
  const [first, seconds] = await timed(place.replayed(place.capture(0, ALERTS), quick));
  strictEqual(first.code, 0, first.error);
  fileHasAll(place, ALERTS);
  ok(!first.error.includes("could not take"), first.error);
  const before = arrived().length;
  ok(mayBeLate || before < ALERTS, `all of ${before} arrived although there was trouble`);
  await recover();
  const capture = place.capture(ALERTS, ALERTS + 1);
  const [second, again] = await timed(place.replayed(capture, [...all, "output_timeout=60000"]));
  strictEqual(second.code, 0, second.error);
  ok(!second.error.includes("could not take"), second.error);
  await eventually("the last alert", () => arrived().at(-1) === ALERTS || undefined);
  fileHasAll(place, ALERTS + 1);
  const numbers = arrived();
  ok(ALERTS + 1 - numbers.length <= lost, `${numbers.length} of ${ALERTS + 1} arrived`);
  inOrderWithGaps(numbers, 1);
  return { before, after: numbers.length - before, seconds: [seconds, again], error: first.error };
}

const TROUBLES: readonly (readonly [Trouble, RegExp])[] = [
  ["refuses", /the server answers 500; they wait/],
  ["has expired", /the server answers 401; they wait/],
  ["cuts", /Cannot write alerts to http_output.url 127.0.0.1:\d+: .*; they wait/],
  ["is stuck", /Events detected/],
  ["is slow", /Events detected/],
];

for (const [trouble, told] of TROUBLES) {
  Deno.test(`HTTP: a server that ${trouble} has all once it is well`, async () => {
    using place = new OutputsPlace();
    await using server = new TroubledServer(trouble, FROM);
    server.token = "new";
    Deno.writeTextFileSync(place.file("token"), "old\n");
    const http = `http_output={enabled: true, url: "http://127.0.0.1:${server.port}/", ` +
      `bearer_token_file: ${place.file("token")}, timeout: 60000}`;
    const figures = await endured(place, [http], {
      arrived: () => server.taken,
      recover(): void {
        // A new token is what such a server waits for; it stays as it is.
        if (trouble === "has expired") Deno.writeTextFileSync(place.file("token"), "new\n");
        else server.recover();
      },
    });
    match(figures.error, told);
    tell(`HTTP: ${trouble}`, { ...figures, lost: 0 });
  });
}

const reason = noRsyslog();

for (const kind of ["tcp", "tls"] as const) {
  Deno.test({
    name: `syslog over ${kind}: a daemon that is ended gets the rest when it is there again`,
    ignore: reason !== undefined,
    async fn() {
      using place = new OutputsPlace();
      await ownCertificate(place.directory, "localhost");
      const files = { certificate: place.file("certificate.pem"), key: place.file("key.pem") };
      const input = kind === "tcp" ? "imptcp" : "imtcp";
      await using daemon = await Rsyslog.start(place.directory, files);
      const address = kind === "tcp"
        ? `tcp://127.0.0.1:${daemon.tcp}`
        : `tls://localhost:${daemon.tls}`;
      const syslog = `syslog_output={enabled: true, address: "${address}", ` +
        `ca_cert: ${files.certificate}}`;
      let isOver = false;
      const ending = (async () => {
        while (!isOver && daemon.bytes() < FROM * ALERT_BYTES) {
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        await daemon.end();
      })();
      const figures = await endured(place, [syslog], {
        arrived: () => daemon.received(input).map(opened),
        // What lay in the sockets' buffers: it confirms nothing.
        lost: ALERTS - FROM,
        mayBeLate: true,
        patienceMs: 2_000,
        async recover(): Promise<void> {
          isOver = true;
          await ending;
          await daemon.again();
        },
      });
      // Where it was killed after the last alert was sent, there was nothing to tell.
      if (WANTED !== undefined) {
        match(figures.error, /Cannot write alerts to syslog_output.address/);
      }
      tell(`syslog over ${kind}: ended and started`, {
        ...figures,
        lost: ALERTS + 1 - figures.before - figures.after,
      });
    },
  });
}

Deno.test("a program that dies again and again is started again and has the rest", async () => {
  using place = new OutputsPlace();
  const lives = Math.max(50, Math.floor(ALERTS / 10));
  // A shell reads byte by byte: what it did not read is in the pipe.
  const program = `n=0; while [ $n -lt ${lives} ] && read -r line; do ` +
    `printf "%s\\n" "$line"; n=$((n+1)); done >> ${place.file("program")}`;
  Deno.writeTextFileSync(place.file("program"), "");
  const arrived = () => openedIn(Deno.readTextFileSync(place.file("program")));
  const all = [
    file(place),
    place.spool(256),
    `program_output={enabled: true, keep_alive: true, program: '${program}'}`,
    "output_timeout=60000",
  ];
  const [{ code, error }, seconds] = await timed(place.replayed(place.capture(0, ALERTS), all));
  strictEqual(code, 0, error);
  fileHasAll(place, ALERTS);
  match(error, /program_output.program: (its reader has gone|the program has ended with 0); they/);
  match(error, /program_output.program takes alerts again/);
  const numbers = arrived();
  const deaths = Math.ceil(ALERTS / lives);
  inOrderWithGaps(numbers, deaths);
  // A pipe holds 64 KiB, which die with their reader; an alert has more than 300 bytes.
  ok(ALERTS - numbers.length <= deaths * (65_536 / 300 + 1), `${numbers.length} arrived`);
  tell(`program: dies after each ${lives}`, {
    before: numbers.length,
    after: 0,
    seconds: [seconds, 0],
    lost: ALERTS - numbers.length,
  });
});

Deno.test({
  name: "a file on a disk that is full has all when there is room, each line whole but one",
  ignore: Deno.uid() !== 0,
  async fn() {
    using place = new OutputsPlace();
    const small = place.file("small");
    Deno.mkdirSync(small);
    // 320 bytes and more for each alert, and as much again for a ballast.
    const bytes = Math.ceil(ALERTS * 400 / 4096) * 4096;
    ok(ran("mount", "-t", "tmpfs", "-o", `size=${bytes + 8192}`, "none", small));
    try {
      const ballast = bytes - Math.floor(FROM * 320 / 4096) * 4096;
      Deno.writeFileSync(`${small}/ballast`, new Uint8Array(ballast));
      const http = new TroubledServer("well", 0);
      await using _ = http;
      // The line that the full disk cut off stays, and is written whole behind it.
      const lines = () => {
        const all = Deno.readTextFileSync(`${small}/alerts`).split("\n").slice(0, -1);
        const whole = all.filter((line) => line.endsWith("}"));
        ok(all.length - whole.length <= 1, `${all.length - whole.length} lines are cut off`);
        return whole.map(opened);
      };
      const url = `http_output={enabled: true, url: "http://127.0.0.1:${http.port}/"}`;
      const all = [
        `file_output={enabled: true, filename: ${small}/alerts}`,
        url,
        place.spool(256),
      ];
      const quick = [...all, "output_timeout=500"];
      const [first, seconds] = await timed(place.replayed(place.capture(0, ALERTS), quick));
      match(first.error, /file_output.filename .*: no space is left/);
      inOrder(http.taken, 0, ALERTS);
      const before = lines().length;
      inOrder(lines(), 0, before);
      ok(before < ALERTS);
      Deno.removeSync(`${small}/ballast`);
      const [second, again] = await timed(
        place.replayed(place.capture(ALERTS, ALERTS + 1), [...all, "output_timeout=60000"]),
      );
      strictEqual(second.code, 0, second.error);
      inOrder(lines(), 0, ALERTS + 1);
      tell("file: disk full", {
        before,
        after: ALERTS + 1 - before,
        seconds: [seconds, again],
        lost: 0,
      });
    } finally {
      ok(ran("umount", small));
    }
  },
});

function ran(command: string, ...args: string[]): boolean {
  return new Deno.Command(command, { args, stdout: "null", stderr: "null" }).outputSync().success;
}
