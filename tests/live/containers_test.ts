// Which container a process is in, with real runtimes: from its first event, before and after
// saker's start, across namespaces and cgroups, and never the host's own processes.
import { existsSync } from "node:fs";
import { assert, assertEquals } from "./expect.ts";
import { IMAGE } from "./runtimes/image.ts";
import { placeOciRuntime } from "./runtimes/rights.ts";
import { environment } from "./runtimes/unpacked.ts";
import { withRuntime } from "./runtimes/with_runtime.ts";
import { type Alert, eventually, Saker } from "./saker.ts";
import { type Place, run, shell, triggersOf } from "./trigger.ts";

const RULE = "Program seen";
const OPENED = "File seen";

/** Saker with a rule for each program that carries the place's marker, and one for opens. */
async function watch(place: Place): Promise<Saker> {
  const rules = place.file("rules.yaml");
  const fields = "%container.id %proc.name %proc.pname %proc.cmdline";
  await Deno.writeTextFile(
    rules,
    `- rule: ${RULE}
  desc: a program of the test
  condition: evt.type in (execve, execveat) and evt.res = SUCCESS and ${triggersOf(place.marker)}
  output: "${fields}"
  priority: NOTICE
- rule: ${OPENED}
  desc: a file of the test
  condition: evt.type in (open, openat) and fd.name endswith "${place.marker}-opened"
  output: "%fd.name ${fields}"
  priority: NOTICE
`,
  );
  return await Saker.start([place.marker], { args: ["-r", rules] });
}

/** The alert of the first program that ended its arguments with the marker of this step. */
async function first(saker: Saker, marker: string, program = "sh"): Promise<Alert> {
  return await eventually(
    `${program} ${marker}`,
    () =>
      saker.alertsWith(marker).find(({ rule, output_fields }) =>
        rule === RULE && output_fields["proc.name"] === program &&
        `${output_fields["proc.cmdline"]}`.endsWith(marker)
      ),
    15_000,
  );
}

async function idOf(saker: Saker, marker: string, program = "sh"): Promise<unknown> {
  return (await first(saker, marker, program)).output_fields["container.id"];
}

/** `sh -c SCRIPT MARKER`, for whoever runs it. */
function step(place: Place, name: string, script = ":"): string[] {
  return ["/bin/sh", "-c", script, place.mark(name)];
}

/** Alerts on programs of the host that carry the marker in what they were told to run. */
function assertHost(saker: Saker, ...programs: string[]): void {
  const seen = saker.alerts().filter(({ rule, output_fields }) =>
    rule === RULE && programs.includes(`${output_fields["proc.name"]}`)
  );
  assert(seen.length > 0, `${programs} were not seen`);
  for (const { output_fields } of seen) assertEquals(output_fields["container.id"], "host");
}

Deno.test("a process on the host is the host's, whatever its cgroups and sandboxes", async (t) => {
  await withRuntime(t, "docker", async (_, place) => {
    await using saker = await watch(place);
    await shell(place.mark("plain"), "/bin/sh -c : $0-below");
    assertEquals(await idOf(saker, place.mark("plain")), "host");
    assertEquals(await idOf(saker, `${place.mark("plain")}-below`), "host");
    await run("unshare", ["--mount", "--pid", "--fork", ...step(place, "sandbox")]);
    assertEquals(await idOf(saker, place.mark("sandbox")), "host");
  });
});

Deno.test("a container of Docker is known from the first event of it", async (t) => {
  await withRuntime(t, "docker", async (docker, place) => {
    const old = await docker.must(
      ...["run", "--detach", "--network=none", "--volume", `${place.path}:/place`, IMAGE, "sh"],
      ...["-c", `while :; do : >> /place/${place.marker}-opened; sleep 0.2; done`],
    );
    await using saker = await watch(place);
    const ids = async (name: string, options: readonly string[], script?: string) => {
      const file = place.file(`${name}.cid`);
      const command = step(place, name, script);
      await docker.must("run", "--cidfile", file, "--network=none", ...options, IMAGE, ...command);
      return (await Deno.readTextFile(file)).slice(0, 12);
    };
    const plain = await ids("plain", ["--rm"], "/bin/sh -c : $0-below");
    assertEquals(await idOf(saker, place.mark("plain")), plain);
    assertEquals(await idOf(saker, `${place.mark("plain")}-below`), plain);

    const all = ["--rm", "--privileged", "--pid=host"];
    const mounts = ["--volume", "/sys/fs/cgroup:/cg"];
    // Into the host's own cgroups, and on from there.
    const escape = `for procs in /cg/cgroup.procs /cg/*/cgroup.procs; do
      test -e $procs && echo $$ > $procs
    done 2>/dev/null
    cat /proc/self/cgroup; /bin/sh -c ': "$(/bin/sh -c : $0-below)"' $0-out`;
    const escaped = await ids("escape", [...all, ...mounts], escape);
    assertEquals(await idOf(saker, `${place.mark("escape")}-out`), escaped);
    assertEquals(await idOf(saker, `${place.mark("escape")}-out-below`), escaped);

    // Into the host's mounts: its cgroup says where it came from.
    const enter = `nsenter -t ${Deno.pid} -m /bin/sh -c : $0-host`;
    const entered = await ids("enter", all, enter);
    assertEquals(await idOf(saker, `${place.mark("enter")}-host`), entered);

    // What ran before saker did, and what joins it.
    const opened = await eventually(
      "the old container's file",
      () => saker.alerts().find(({ rule }) => rule === OPENED),
    );
    assertEquals(opened.output_fields["container.id"], old.slice(0, 12));
    await docker.must("exec", old, ...step(place, "joined"));
    assertEquals(await idOf(saker, place.mark("joined")), old.slice(0, 12));
    assertHost(saker, "docker");
  });
});

Deno.test("a container of Podman is known from the first event of it", async (t) => {
  await withRuntime(t, "podman", async (podman, place) => {
    await using saker = await watch(place);
    const ids = async (name: string, ...options: string[]) => {
      const file = place.file(`${name}.cid`);
      const command = step(place, name, "/bin/sh -c : $0-below");
      await podman.must("run", "--rm", "--cidfile", file, ...options, IMAGE, ...command);
      return (await Deno.readTextFile(file)).slice(0, 12);
    };
    const plain = await ids("plain", "--network=none");
    assertEquals(await idOf(saker, place.mark("plain")), plain);
    assertEquals(await idOf(saker, `${place.mark("plain")}-below`), plain);
    if (!existsSync("/sys/fs/cgroup/unified")) {
      // crun alone can do without cgroups.
      const bare = await ids("bare", "--network=none", "--cgroups=disabled");
      assertEquals(await idOf(saker, place.mark("bare")), bare);
    }
    assertHost(saker, "podman");
  });
});

Deno.test("containers of containerd, and of runc by hand, are known by their names", async (t) => {
  await withRuntime(t, "containerd", async (containerd, place) => {
    await using saker = await watch(place);
    const root = ["run", "--rm", "--rootfs", containerd.root];
    for (const name of ["saker-test-one", "saker-test-two"]) {
      await containerd.must(...root, name, ...step(place, name));
      assertEquals(await idOf(saker, place.mark(name)), name);
    }
    assertHost(saker, "ctr");

    await Deno.mkdir(place.file("bundle"));
    const runc = placeOciRuntime("runc", place.path);
    await run(runc, ["spec", "--bundle", place.file("bundle")]);
    const config = JSON.parse(await Deno.readTextFile(place.file("bundle/config.json")));
    config.root = { path: containerd.root };
    config.process.terminal = false;
    config.process.args = step(place, "by-hand");
    await Deno.writeTextFile(place.file("bundle/config.json"), JSON.stringify(config));
    const path = environment(place.path).PATH!;
    const options = ["--root", place.file("state"), "run", "--bundle", place.file("bundle")];
    const id = `by-hand-${place.marker.slice(-4)}`;
    const ran = await run("env", [`PATH=${path}`, runc, ...options, id]);
    assertEquals([ran.code, ran.stderr], [0, ""]);
    assertEquals(await idOf(saker, place.mark("by-hand")), id);
  });
});
