// Short-lived containers: each alert has the id of its own container, and name, image and labels
// that belong to that id; none is without one, and memory stays flat. SAKER_TEST_CHURN=2000 makes
// so many, a tenth of them with containerd and runc, the others of cgroups and namespaces alone, of
// which no runtime knows.

import { assert, assertEquals } from "./expect.ts";
import { TOP } from "./runtimes/by_cgroup.ts";
import type { Containerd } from "./runtimes/containerd.ts";
import { packImage } from "./runtimes/image.ts";
import { asking, PATIENT, untilUp } from "./runtimes/watched.ts";
import { withRuntime } from "./runtimes/with_runtime.ts";
import { eventually, Saker } from "./saker.ts";
import { type Place, run, triggersOf } from "./trigger.ts";

const COUNT = Number(Deno.env.get("SAKER_TEST_CHURN") ?? 60);
const REAL = Math.max(20, Math.ceil(COUNT / 10));
/** How many of them are made at a time. */
const AT_ONCE = 3;
const IMAGES = ["saker.test/red:1", "saker.test/green:2", "saker.test/sub/blue:3"];
const TEAMS = ["one", "two", "three", "four"];
/** More than garbage that is not collected yet takes. */
const GROWTH_KB = 64 << 10;

function memoryKb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))![1]);
}

const nameOf = (place: Place, index: number) => `churn-${place.marker.slice(-4)}-${index}`;

/** Of runc the name that it was given, of the others what their cgroup says. */
function idOf(place: Place, index: number): string {
  return index < REAL ? nameOf(place, index) : index.toString(16).padStart(12, "0");
}

const imageOf = (index: number) => IMAGES[index % IMAGES.length]!;
const teamOf = (index: number) => TEAMS[index % TEAMS.length]!;

/** What an alert on the program of that index must say of its container. */
function expected(place: Place, index: number): unknown[] {
  if (index >= REAL) return [idOf(place, index), null, null, null, null];
  const [repository, tag] = imageOf(index).split(":");
  return [idOf(place, index), nameOf(place, index), repository, tag, teamOf(index)];
}

const FIELDS = [
  ...["container.id", "container.full_id", "container.image.repository", "container.image.tag"],
  "container.label[team]",
];

async function real(containerd: Containerd, place: Place, indexes: number[]): Promise<void> {
  for (const index of indexes) {
    const command = ["/bin/sh", "-c", ":", place.mark(`${index}x`)];
    const label = ["--label", `team=${teamOf(index)}`];
    const name = nameOf(place, index);
    await containerd.must("run", "--rm", ...label, imageOf(index), name, ...command);
  }
}

/** The same of a shell's: a cgroup as Docker names it, namespaces and a root directory. */
async function plain(root: string, place: Place, from: number, to: number): Promise<void> {
  const script = `set -e
top=$1 root=$2 marker=$0
mkdir -p $top/saker.test
for index in $(seq $3 $4); do
  group=$top/saker.test/docker-$(printf %012x%052d $index 0).scope
  mkdir $group
  sh -c 'echo $$ > $0/cgroup.procs; exec unshare --mount --pid --fork chroot "$1" /bin/sh -c : $2' \
    $group $root $marker-"$index"x
  rmdir $group
done
rmdir $top/saker.test`;
  const args = [TOP, root, `${from}`, `${to}`];
  const { code, stderr } = await run("/bin/sh", ["-c", script, place.marker, ...args]);
  assertEquals([code, stderr], [0, ""]);
}

Deno.test("short containers keep their ids apart, and memory flat", async (t) => {
  await withRuntime(t, "containerd", async (containerd, place) => {
    const rules = place.file("rules.yaml");
    await Deno.writeTextFile(
      rules,
      `- rule: Program in a container
  desc: a program of the test
  condition: >
    evt.type = execve and evt.res = SUCCESS and proc.exepath startswith /bin/ and
    proc.exepath endswith busybox and ${triggersOf(place.marker)}
  output: "${FIELDS.map((field) => `%${field}`).join(" ")} %proc.cmdline"
  priority: NOTICE
`,
    );
    for (const name of IMAGES) {
      const config = { Labels: { image: name } };
      const archive = await packImage(containerd.root, place.path, { name, config });
      await containerd.must("images", "import", archive);
    }
    const asked = asking(place, { containerd: [containerd.socket] });
    const args = [...asked, ...PATIENT, "-r", rules];
    await using saker = await Saker.start([place.marker], { args });
    await untilUp(saker, "containerd");
    const inside = () =>
      saker.alerts().filter(({ output_fields }) =>
        /-\d+x$/.test(`${output_fields["proc.cmdline"]}`)
      );
    await plain(containerd.root, place, COUNT, COUNT);
    await eventually("the first", () => inside().length > 0 ? true : undefined);
    const before = memoryKb(saker.pid);
    const started = performance.now();
    await Promise.all([
      ...Array.from({ length: AT_ONCE }, (_, first) => {
        const many = Math.ceil((REAL - first) / AT_ONCE);
        const own = Array.from({ length: many }, (_, turn) => first + turn * AT_ONCE);
        return real(containerd, place, own);
      }),
      plain(containerd.root, place, REAL, COUNT - 1),
    ]);
    const took = performance.now() - started;
    const seen = () => new Set(inside().map(({ output_fields }) => output_fields["proc.cmdline"]));
    const lost = async () => {
      const { critical, bulk } = (await saker.health())!.body.lost as Record<string, number>;
      return critical! + bulk!;
    };
    await eventually(
      "all of them",
      async () => seen().size === COUNT + 1 || await lost() > 0 ? true : undefined,
    );
    for (const { output_fields } of inside()) {
      const index = /-(\d+)x$/.exec(`${output_fields["proc.cmdline"]}`)![1];
      const told = FIELDS.map((field) => output_fields[field]);
      assertEquals(told, expected(place, Number(index)));
    }
    const growth = memoryKb(saker.pid) - before;
    assert(growth < GROWTH_KB, `memory grew by ${growth} KiB`);
    const name = `${COUNT} containers, ${REAL} of runc, in ${Math.round(took / 1000)} s: ` +
      `${seen().size} alerts, ${await lost()} events lost, memory ${growth >> 10} MiB more`;
    await t.step(name, () => {});
  });
});
