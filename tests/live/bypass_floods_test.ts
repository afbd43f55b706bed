// One act in a flood: rings that others fill, processes that come and go by the thousand, tables
// that fill up, and a machine whose CPUs somebody else has. The act is told in each, and saker is
// what it was before. One session.
import { assert, assertEquals } from "./expect.ts";
import { eventually, Saker } from "./saker.ts";
import { isRoot, Place, PYTHON, python } from "./trigger.ts";
import { rulesOfWays } from "./ways.ts";

const RULE = "Needle";
const DONE = "Flood over";
/** Threads that the tables hold, fewer than the flood makes. */
const THREADS = 2_000;
/** What memory may grow by: the tables are full then, and the heap is as it was before a sweep. */
const GROWTH_MB = 120;
/** What a flood that has all CPUs has to itself before the act and behind it, seconds. */
const ALONE_S = 0.5;

interface Flood {
  readonly name: string;
  /** Python that says when it floods, and goes on until its standard input is closed; argv[2] is
   * the file of the rule. */
  readonly script: string;
  readonly processes: number;
}

const UNTIL = `import os, select, sys
def floods(): os.write(1, b"!")
def over(): return select.select([0], [], [], 0)[0]
`;

const FLOODS: readonly Flood[] = [
  {
    // The same file: the kernel keeps none of these back.
    name: "two processes that open a watched file as fast as they can",
    processes: 2,
    script: `${UNTIL}floods()
while not over():
    for _ in range(1000): os.close(os.open(sys.argv[2], os.O_RDONLY))`,
  },
  {
    name: "processes that end at once",
    processes: 2,
    script: `${UNTIL}floods()
while not over():
    for _ in range(50):
        if os.fork() == 0: os._exit(0)
        os.wait()`,
  },
  {
    name: "more processes than the tables hold",
    processes: 1,
    script: `${UNTIL}import signal
children = []
r, w = os.pipe()
for _ in range(${THREADS + 500}):
    try: pid = os.fork()
    except OSError: break
    if pid == 0:
        os.close(w)
        os.read(r, 1)
        os._exit(0)
    children.append(pid)
floods()
while not over(): select.select([0], [], [])
os.close(w)
for pid in children: os.waitpid(pid, 0)`,
  },
  {
    name: "thousands of descriptors",
    processes: 1,
    script: `${UNTIL}import resource
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20000), hard))
here = os.open(sys.argv[2], os.O_RDONLY)
try:
    while True: os.dup(here)
except OSError: pass
floods()
while not over(): select.select([0], [], [])`,
  },
];

/**
 * Others that have all CPUs, nobody else having any time to speak of: the act is begun by them, and
 * the end comes by itself. The longer it lasts, the more of what the rest of the machine does waits
 * in the rings. argv[2] is the file of the rule, argv[3] the act's marker, argv[4] its script.
 */
const STARVING = `import os, sys, time
try: os.nice(-20)
except OSError: pass
ends = time.monotonic() + 20
children = []
for _ in range(4):
    pid = os.fork()
    if pid == 0:
        while time.monotonic() < ends: sum(range(10000))
        os._exit(0)
    children.append(pid)
time.sleep(${ALONE_S})
act = [sys.executable, "-I", "-S", "-c", sys.argv[4], sys.argv[3], sys.argv[2]]
os.waitpid(os.posix_spawn(sys.executable, act, {}), 0)
time.sleep(${ALONE_S})
for pid in children:
    os.kill(pid, 9)
    os.waitpid(pid, 0)`;

const ACT = "import os, sys; os.close(os.open(sys.argv[2], os.O_RDONLY))";
const MAKE = "import os, sys; os.mkdir(sys.argv[2])";
/** A machine that is busy elsewhere may fill the rings, which is told: then it is tried again. */
const TRIES = 5;
/** What is made is told within this, or its event may have been lost. */
const MAKE_MS = 5_000;

Deno.test({
  name: "one act is told in any flood",
  ignore: !isRoot(),
  async fn(t) {
    await using place = new Place();
    const secret = place.file("secret");
    await Deno.writeTextFile(secret, "secret");
    const rules = rulesOfWays(place, {
      [RULE]: `evt.type in (open, openat) and fd.name = PLACE/secret and proc.args contains "-act"`,
      [DONE]: `evt.type in (mkdir, mkdirat) and fs.path.name contains "-over-"`,
    }, "%fd.name");
    await using saker = await Saker.start([place.marker], {
      args: [
        ...["-r", rules, "-o", "engine.modern_ebpf.buf_size_preset=2"],
        ...["-o", `falco_libs.thread_table_size=${THREADS}`],
      ],
    });
    const before = memoryOf(saker.pid);
    const watch = { place, saker };
    for (const [index, { name, script, processes }] of FLOODS.entries()) {
      await t.step(name, async () => {
        const flood: Script[] = [];
        try {
          for (let n = 0; n < processes; n++) {
            flood.push(new Script(script, [place.mark(`${index}-flood`), secret]));
          }
          for (const one of flood) await one.floods();
          await told(watch, `${index}-`, (mark) => python(mark, ACT, [secret]));
        } finally {
          for (const one of flood) await one.over();
        }
      });
    }
    await t.step("others that have all CPUs at the highest priority", async () => {
      await told(
        watch,
        "cpus-",
        (mark) => python(place.mark("cpus-flood"), STARVING, [secret, mark, ACT]),
      );
    });
    const { status, body } = (await saker.health())!;
    assertEquals(status, 200, `${body.reason}`);
    const { threads } = body.refused as Record<string, number>;
    assert(Number(threads) > 0, "the bound of threads was reached, and is told");
    const growth = memoryOf(saker.pid) - before;
    assert(growth < GROWTH_MB, `memory grew by ${growth} MB`);
  },
});

interface Watch {
  readonly place: Place;
  readonly saker: Saker;
}

/** One act is told, or it is told that the rings had no room for something, and another one is. */
async function told(
  watch: Watch,
  name: string,
  act: (mark: string) => Promise<unknown>,
): Promise<void> {
  const { place, saker } = watch;
  for (let round = 0; round < TRIES; round++) {
    const before = await overflowOf(saker);
    const mark = place.mark(`${name}${round}-act`);
    await act(mark);
    await caughtUp(watch, `${name}${round}-over`);
    if (saker.alertsWith(mark).some(({ rule }) => rule === RULE)) return;
    await eventually(
      "a loss to be told",
      async () => await overflowOf(saker) > before || undefined,
    );
  }
  throw new Error(`of ${TRIES} acts none was told`);
}

/** Alerts come in the order of their events: with a later one, all are there that will be. */
async function caughtUp({ place, saker }: Watch, name: string): Promise<void> {
  const isTold = () => saker.alertsWith(name).some(({ rule }) => rule === DONE) || undefined;
  for (let round = 0; round < 24; round++) {
    const mark = place.mark(`${name}-${round}`);
    await python(mark, MAKE, [place.file(`${name}-${round}`)]);
    if (await eventually(name, isTold, MAKE_MS).catch(() => false)) return;
  }
  throw new Error("nothing is told any more");
}

/** How many events no ring had room for, beyond what processes lost of their own share. */
async function overflowOf(saker: Saker): Promise<number> {
  const { body } = (await saker.health())!;
  const { critical, bulk, over_share } = body.lost as Record<string, number>;
  return critical! + bulk! - over_share!;
}

/** A script that floods until its standard input is closed, and says by a byte that it does. */
class Script {
  readonly #child: Deno.ChildProcess;
  readonly #said: ReadableStreamDefaultReader<Uint8Array>;

  constructor(script: string, args: readonly string[]) {
    this.#child = new Deno.Command(PYTHON, {
      args: ["-I", "-S", "-c", script, ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#said = this.#child.stdout.getReader();
  }

  async floods(): Promise<void> {
    assert(!(await this.#said.read()).done, "a script ended before its time");
  }

  async over(): Promise<void> {
    await this.#child.stdin.close();
    await this.#child.status;
    await this.#said.cancel();
  }
}

function memoryOf(pid: number): number {
  const [, kib] = /VmRSS:\s+(\d+)/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))!;
  return Number(kib) / 1024;
}
