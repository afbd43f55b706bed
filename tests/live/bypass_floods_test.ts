// One act in a flood: rings that others fill, processes that come and go by the thousand, tables
// that fill up, and a machine whose CPUs somebody else has. The act is told in each, and saker is
// what it was before. One session.
import { assert, assertEquals } from "./expect.ts";
import { Saker } from "./saker.ts";
import { isRoot, Place, PYTHON, python } from "./trigger.ts";
import { rulesOfWays } from "./ways.ts";

const RULE = "Needle";
const DONE = "Flood over";
/** Threads that the tables hold, fewer than the flood makes. */
const THREADS = 2_000;
/** What memory may grow by: the tables are full then, and the heap is as it was before a sweep. */
const GROWTH_MB = 120;

interface Flood {
  readonly name: string;
  /** Python that says when it floods, and goes on until its standard input is closed; argv[2] is
   * the file of the rule. */
  readonly script: string;
  readonly processes: number;
  /** It has the CPUs that the test reads alerts with: the alert is looked for when it is over. */
  readonly starves?: true;
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
  {
    name: "others that have all CPUs at the highest priority",
    processes: 4,
    starves: true,
    script: `${UNTIL}
try: os.nice(-20)
except OSError: pass
floods()
while not over(): sum(range(10000))`,
  },
];

/** It is there before the flood is, at the flood's own priority: it acts when it is told to. */
const ACT = `import os, sys
try: os.nice(-20)
except OSError: pass
os.write(1, b"!")
os.read(0, 1)
os.close(os.open(sys.argv[2], os.O_RDONLY))
os.write(1, b"!")`;
/** What a flood has to itself before the act and behind it. */
const ALONE_MS = 500;

Deno.test({
  name: "one act is told in any flood",
  ignore: !isRoot(),
  async fn(t) {
    await using place = new Place();
    const secret = place.file("secret");
    await Deno.writeTextFile(secret, "secret");
    const rules = rulesOfWays(place, {
      [RULE]: `evt.type in (open, openat) and fd.name = PLACE/secret and proc.args contains "-act"`,
      [DONE]: `evt.type in (mkdir, mkdirat) and fs.path.name contains PLACE/over`,
    }, "%fd.name");
    await using saker = await Saker.start([place.marker], {
      args: [
        ...["-r", rules, "-o", "engine.modern_ebpf.buf_size_preset=2"],
        ...["-o", `falco_libs.thread_table_size=${THREADS}`],
      ],
    });
    const before = memoryOf(saker.pid);
    for (const [index, { name, script, processes, starves }] of FLOODS.entries()) {
      await t.step(name, async () => {
        const act = new Script(ACT, [place.mark(`${index}-act`), secret]);
        const flood: Script[] = [];
        const told = () => saker.alert(RULE, place.mark(`${index}-act`));
        try {
          await act.step();
          for (let n = 0; n < processes; n++) {
            flood.push(new Script(script, [place.mark(`${index}-flood`), secret]));
          }
          for (const one of flood) await one.step();
          await alone();
          await act.go();
          await act.step();
          if (starves) await alone();
          else await told();
        } finally {
          for (const one of [...flood, act]) await one.over();
        }
        await told();
      });
    }
    await python(place.mark("over"), "import os, sys; os.mkdir(sys.argv[2])", [place.file("over")]);
    await saker.alert(DONE, place.mark("over"));
    const { status, body } = (await saker.health())!;
    assertEquals(status, 200, `${body.reason}`);
    const { threads } = body.refused as Record<string, number>;
    assert(Number(threads) > 0, "the bound of threads was reached, and is told");
    const growth = memoryOf(saker.pid) - before;
    assert(growth < GROWTH_MB, `memory grew by ${growth} MB`);
  },
});

/** A script that is told by its standard input to go on, and says by a byte that it is so far. */
class Script {
  readonly #child: Deno.ChildProcess;
  readonly #said: ReadableStreamDefaultReader<Uint8Array>;
  readonly #told: WritableStreamDefaultWriter<Uint8Array>;

  constructor(script: string, args: readonly string[]) {
    this.#child = new Deno.Command(PYTHON, {
      args: ["-I", "-S", "-c", script, ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#said = this.#child.stdout.getReader();
    this.#told = this.#child.stdin.getWriter();
  }

  async step(): Promise<void> {
    assert(!(await this.#said.read()).done, "a script ended before its time");
  }

  async go(): Promise<void> {
    await this.#told.write(new Uint8Array(1));
  }

  async over(): Promise<void> {
    await this.#told.close().catch(() => {});
    await this.#child.status;
    await this.#said.cancel();
  }
}

function alone(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ALONE_MS));
}

function memoryOf(pid: number): number {
  const [, kib] = /VmRSS:\s+(\d+)/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))!;
  return Number(kib) / 1024;
}
