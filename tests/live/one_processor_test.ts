// Saker on one processor: the thread that reads events is before others there, and must not be
// before saker's own, which obey signals, answer and write alerts, and collect garbage.
import { assert, assertEquals } from "./expect.ts";
import { Saker } from "./saker.ts";
import { has, isRoot, Place } from "./trigger.ts";

/** What `engine.nice` is by default. */
const NICE = -10;

Deno.test({
  name: "on one processor, saker's main thread and V8's have the priority of the engine's",
  ignore: !isRoot() || !has("taskset"),
  async fn() {
    await using place = new Place();
    const through = ["taskset", "--cpu-list", `${await ownProcessor()}`];
    await using saker = await Saker.start([place.marker], { through });
    const { main, named } = await prioritiesOf(saker.pid);
    assertEquals(main, NICE);
    assertEquals(new Set(named.get("V8 DefaultWorke")), new Set([NICE]));
    // The engine's is the first worker; later ones have it from whoever made them.
    assert(named.get("worker-1")?.includes(NICE), JSON.stringify([...named]));
  },
});

/** The first processor that this test may use. */
async function ownProcessor(): Promise<number> {
  const status = await Deno.readTextFile("/proc/self/status");
  return Number(/^Cpus_allowed_list:\s*(\d+)/m.exec(status)![1]);
}

/** The nice value of the main thread, and those of threads by their names. */
async function prioritiesOf(
  pid: number,
): Promise<{ readonly main: number | undefined; readonly named: Map<string, number[]> }> {
  let main: number | undefined;
  const named = new Map<string, number[]>();
  for (const { name } of [...Deno.readDirSync(`/proc/${pid}/task`)]) {
    const stat = await Deno.readTextFile(`/proc/${pid}/task/${name}/stat`).catch(() => "");
    const [, comm, rest] = /^\d+ \((.*)\) (.*)$/s.exec(stat) ?? [];
    // A thread that has ended meanwhile has no values.
    if (comm === undefined || rest === undefined) continue;
    const nice = Number(rest.split(" ")[NICE_AT]);
    if (Number(name) === pid) main = nice;
    named.set(comm, [...named.get(comm) ?? [], nice]);
  }
  return { main, named };
}

/** Field 19 of proc(5), behind the number and the name. */
const NICE_AT = 16;
