// A host of a fleet whose alerts are of real system calls: a saker with the probe, a name and a
// rule of its own, and a program that does calls with a number in each. What saker itself wrote of
// them to its file, and what it told to have lost, is what the stream is held against.
import { assert, assertEquals } from "./expect.ts";
import { Saker } from "./saker.ts";
import { eventually, PATIENCE_MS } from "../patience.ts";
import { Place, python } from "./trigger.ts";

/** Numbers from `from` to `to`, so many a second by the clock: a slow machine has fewer. */
const begin = `
import os, socket, sys, time
base, first, last, rate = sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
began = time.monotonic()
for number in range(first, last):
    time.sleep(max(0, began + (number - first) / rate - time.monotonic()))
`;

interface Kind {
  readonly script: string;
  /** Names of the events, as saker tells of lost ones. */
  readonly events: readonly string[];
  /** Base of the program → condition of the rule. */
  condition(base: string): string;
  /** The highest number and one. */
  readonly most: number;
}

const KINDS = {
  /** Files that are created. */
  open: {
    script: `${begin}    os.close(os.open(base + "/call-%d" % number, os.O_CREAT | os.O_WRONLY))\n`,
    events: ["open", "openat", "openat2"],
    condition: (base) => `evt.type in (open, openat, openat2) and fd.name startswith ${base}/call-`,
    most: 1_000_000,
  },
  /** Datagrams' peers on an address of the loopback network that nobody else has; no byte goes. */
  connect: {
    script: `${begin}    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n` +
      "    peer.connect((base, number + 1))\n    peer.close()\n",
    events: ["connect"],
    condition: (base) => `evt.type = connect and fd.sip = ${base}`,
    most: 65_000,
  },
} as const satisfies Readonly<Record<string, Kind>>;

interface Output {
  readonly name: string;
  readonly state: string;
  readonly waiting: number;
}

export class CallingHost implements AsyncDisposable {
  readonly name: string;
  readonly #url: string;
  readonly #kind: Kind;
  readonly #place = new Place();
  readonly #base: string;
  #saker!: Saker;
  #next = 0;
  /** Numbers of calls that were done while no saker ran: the first, and the one behind them. */
  #missed: (readonly [from: number, to: number])[] = [];
  /** Told lost by runs before this one, of the events of these calls. */
  #lostBefore = 0;

  /** Starts a saker that sends to `url`. */
  constructor(name: string, kind: keyof typeof KINDS, url: string) {
    this.name = name;
    this.#url = url;
    this.#kind = KINDS[kind];
    const [a, b, c] = crypto.getRandomValues(new Uint8Array(3));
    this.#base = kind === "open" ? this.#place.path : `127.${(a! % 254) + 1}.${b}.${c! | 1}`;
    const rule = '- {rule: Call, desc: d, priority: NOTICE, output: "%fd.name", ' +
      `condition: "${this.#kind.condition(this.#base)}"}\n`;
    Deno.writeTextFileSync(this.#place.file("rules.yaml"), rule);
    this.start();
  }

  start(): void {
    const options = [
      ...["json_output=true", "stdout_output.enabled=false"],
      `file_output={enabled: true, filename: ${this.#place.file("alerts")}}`,
      `spool={enabled: true, directory: "${this.#place.file("spool")}", max_mb: 500}`,
      `nats_output={enabled: true, url: "${this.#url}", timeout: 1000, presence_every: 1s}`,
    ];
    this.#saker = Saker.launch([], {
      args: ["-r", this.#place.file("rules.yaml"), ...options.flatMap((one) => ["-o", one])],
      env: { FALCO_HOSTNAME: this.name, NO_COLOR: "1" },
    });
  }

  /** Until it watches, whether or not the stream can be reached. */
  async watches(): Promise<void> {
    await eventually(`${this.name} to watch`, () => this.#told.includes("is watching") || undefined)
      .catch((error: Error) => {
        throw new Error(`${error.message}: ${this.#told}`);
      });
  }

  get #told(): string {
    return this.#saker.told;
  }

  /** Does calls, so many a second; how many there are to be. */
  async call(count: number, rate: number): Promise<void> {
    const from = this.#next;
    this.#next += count;
    assert(this.#next <= this.#kind.most, `${this.#next} calls are too many for their numbers`);
    const args = [this.#base, from, this.#next, rate].map(String);
    await python(this.#place.mark("calls"), this.#kind.script, args);
  }

  /** Calls that nobody sees. */
  async callUnseen(count: number): Promise<void> {
    const from = this.#next;
    await this.call(count, 10_000);
    this.#missed.push([from, this.#next]);
  }

  /**
   * Waits until all calls so far were judged, their alerts are in the file, and the output to NATS
   * is as wanted with none that waits in memory.
   */
  async settled(state: "ok" | "failing", patienceMs = PATIENCE_MS): Promise<void> {
    // Events come in order: behind this one's alert, none of an earlier one can come. It may be
    // lost itself, so another is done each time.
    const sentinel = this.#next;
    await eventually(`${this.name} to tell of number ${sentinel}`, async () => {
      await this.call(1, 1);
      return this.#lastInFile() >= sentinel || undefined;
    }, patienceMs);
    let [seen, times, numbers] = ["", 0, -1];
    await eventually(`${this.name} to be ${state}`, async () => {
      const outputs = await this.#outputs();
      seen = JSON.stringify(outputs);
      const now = this.#lastInFile();
      const isSo = outputs.length === 2 && outputs.every(({ waiting }) => waiting === 0) &&
        outputs.some((one) => one.name === "nats" && one.state === state) && now === numbers;
      numbers = now;
      // An alert may be between two threads, and in neither number.
      times = isSo ? times + 1 : 0;
      return times === 5 || undefined;
    }, patienceMs).catch((error: Error) => {
      throw new Error(`${error.message}: ${seen} ${this.#told}`);
    });
    assertEquals((await this.#health()).alerts_dropped, 0, this.name);
  }

  async state(): Promise<string | undefined> {
    return (await this.#outputs()).find(({ name }) => name === "nats")?.state;
  }

  async #outputs(): Promise<readonly Output[]> {
    return (await this.#saker.health())?.body["outputs"] as readonly Output[] ?? [];
  }

  async #health(): Promise<Record<string, unknown>> {
    const health = await this.#saker.health();
    assert(health !== undefined, `${this.name} does not answer: ${this.#told}`);
    return health.body;
  }

  /** So many events of the kinds of these calls this run has told to have lost. */
  async #lost(): Promise<number> {
    const { lost } = await this.#health() as {
      lost: { by_event: Readonly<Record<string, number>> };
    };
    return [...this.#kind.events, "unknown"]
      .reduce((sum, event) => sum + (lost.by_event[event] ?? 0), 0);
  }

  async kill(): Promise<void> {
    this.#lostBefore += await this.#lost();
    await this.#saker.stop("SIGKILL");
  }

  async end(): Promise<void> {
    this.#lostBefore += await this.#lost();
    const { code, stderr } = await this.#saker.stop();
    assertEquals(code, 0, stderr);
  }

  /** A name as an alert has it → the number of its call. */
  static numberOf(name: string): number {
    const peer = /->127\.[\d.]+:(\d+)$/.exec(name);
    return peer === null ? Number(name.slice(name.lastIndexOf("-") + 1)) : Number(peer[1]) - 1;
  }

  /** Numbers of the alerts in its own file, in its order. */
  numbers(): number[] {
    return numbersIn(Deno.readTextFileSync(this.#place.file("alerts")));
  }

  #lastInFile(): number {
    try {
      using file = Deno.openSync(this.#place.file("alerts"));
      file.seekSync(-Math.min(file.statSync().size, 8192), Deno.SeekMode.End);
      const tail = new Uint8Array(8192);
      const text = new TextDecoder().decode(tail.subarray(0, file.readSync(tail) ?? 0));
      // The first line may be cut, the last may be half written.
      return numbersIn(text.slice(text.indexOf("\n{") + 1, text.lastIndexOf("\n") + 1)).at(-1) ??
        -1;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return -1;
      throw error;
    }
  }

  /**
   * To be asked once it has ended: its own numbers are in order, none is of a call that nobody saw,
   * and as many as were told lost may be missing, no more.
   */
  checked(): number[] {
    const numbers = this.numbers();
    const wrong = numbers.findIndex((number, at) => at > 0 && number <= numbers[at - 1]!);
    assertEquals(wrong, -1, `${this.name}, its own file: ${numbers.slice(wrong - 2, wrong + 3)}`);
    const unseen = (number: number) =>
      this.#missed.some(([from, to]) => number >= from && number < to);
    assertEquals(numbers.filter(unseen), [], `${this.name} saw what it could not`);
    const done = this.#next - this.#missed.reduce((sum, [from, to]) => sum + to - from, 0);
    const missing = done - numbers.length;
    assert(
      missing <= this.#lostBefore,
      `${this.name}: ${missing} of ${done} are missing, ${this.#lostBefore} were told lost`,
    );
    return numbers;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#saker.stop("SIGKILL");
    await this.#place[Symbol.asyncDispose]();
  }
}

function numbersIn(text: string): number[] {
  return text.split("\n").filter((line) => line !== "").flatMap((line) => {
    const { rule, output_fields } = JSON.parse(line) as {
      rule: string;
      output_fields: Readonly<Record<string, string>>;
    };
    return rule === "Call" ? [CallingHost.numberOf(output_fields["fd.name"]!)] : [];
  });
}
