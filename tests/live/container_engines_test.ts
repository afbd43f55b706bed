// Containers that no daemon tells of: LXC, systemd-nspawn, bpm, libvirt's, a user's own Podman, and
// the one that every process is in where `engines.static` says so. Each by its own programs where
// Debian has them and they run here, else as its programs make it.
import { assert, assertEquals } from "./expect.ts";
import { runInCgroup, TOP } from "./runtimes/by_cgroup.ts";
import { cgroupDirectories, removeCgroups } from "./runtimes/daemon.ts";
import { IMAGE, makeRootDirectory } from "./runtimes/image.ts";
import { placeOciRuntime } from "./runtimes/rights.ts";
import { CannotRun, environment, unpacked } from "./runtimes/unpacked.ts";
import { about, asking, telling, watch } from "./runtimes/watched.ts";
import { withRuntime } from "./runtimes/with_runtime.ts";
import { Saker } from "./saker.ts";
import { isRoot, ownMounts, Place, run } from "./trigger.ts";

const RULE = "In a container";

interface Scene {
  readonly place: Place;
  /** A root directory. */
  readonly root: string;
  readonly env: readonly string[];
}

/** Runs a program of an engine, which must succeed; what it leaves in /run is nobody else's. */
async function must({ env }: Scene, ...command: readonly string[]): Promise<void> {
  const apart = 'mount -t tmpfs -o mode=755 none /run && exec env "$@"';
  const { code, stderr } = await run("unshare", [
    ...[...await ownMounts(), "/bin/sh", "-c", apart, "apart"],
    ...[...env, ...command],
  ]);
  assert(code === 0, `${command[0]!.split("/").at(-1)}: ${stderr}`);
}

interface Engine {
  readonly name: string;
  /** Runs `sh -c true MARK` in a container of its; returns the container's id and kind. */
  readonly act: (scene: Scene, mark: string) => Promise<readonly [id: string, kind: string | null]>;
}

const ENGINES: readonly Engine[] = [
  {
    name: "LXC",
    async act(scene, mark) {
      const { place, root } = scene;
      const lxc = unpacked("lxc-start");
      await Deno.mkdir(place.file("lxc/mounted"), { recursive: true });
      const settings = {
        "lxc.uts.name": "saker-lxc",
        "lxc.rootfs.path": `dir:${root}`,
        "lxc.rootfs.mount": place.file("lxc/mounted"),
        "lxc.net.0.type": "empty",
        "lxc.apparmor.profile": "unconfined",
        "lxc.mount.auto": "proc",
      };
      const lines = Object.entries(settings).map(([key, value]) => `${key} = ${value}\n`);
      await Deno.writeTextFile(place.file("lxc/config"), lines.join(""));
      // It leaves one at the top, to which it moves what it ends.
      const leaves = cgroupDirectories("lxc.pivot").length === 0;
      await must(
        scene,
        ...[lxc, "--foreground", "--name", "saker-lxc", "--lxcpath", place.file("lxc")],
        ...["--rcfile", place.file("lxc/config"), "--", "/bin/sh", "-c", "true", mark],
      );
      if (leaves) removeCgroups("lxc.pivot");
      return ["saker-lxc", "lxc"];
    },
  },
  {
    name: "systemd-nspawn",
    async act(scene, mark) {
      // Without a systemd to ask for it, in the cgroup that one would give it.
      const group = `${TOP}/saker.test/machine-saker.scope`;
      await Deno.mkdir(group, { recursive: true });
      const inside = 'echo $$ > "$0/cgroup.procs"; exec "$@"';
      try {
        await must(
          scene,
          ...["/bin/sh", "-c", inside, group, unpacked("systemd-nspawn"), "--quiet"],
          ...["--register=no", "--keep-unit", "--directory", scene.root, "--machine=saker"],
          ...["--as-pid2", "/bin/sh", "-c", "true", mark],
        );
      } finally {
        await run("rmdir", [group, `${TOP}/saker.test`]);
      }
      return ["saker", null];
    },
  },
  {
    // BOSH's process manager is in no registry; it has runc make a container of that name.
    name: "bpm",
    async act(scene, mark) {
      const { place, root } = scene;
      const runc = placeOciRuntime("runc", place.path);
      const bundle = place.file("bundle");
      await Deno.mkdir(bundle);
      await must(scene, runc, "spec", "--bundle", bundle);
      const config = JSON.parse(await Deno.readTextFile(`${bundle}/config.json`));
      config.root = { path: root };
      config.process.terminal = false;
      config.process.args = ["/bin/sh", "-c", "true", mark];
      await Deno.writeTextFile(`${bundle}/config.json`, JSON.stringify(config));
      const state = ["--root", place.file("state")];
      await must(scene, runc, ...state, "run", "--bundle", bundle, "bpm-saker.worker");
      return ["saker.worker", "bpm"];
    },
  },
  {
    // As libvirt's driver names it below systemd.
    name: "libvirt-lxc",
    async act({ root }, mark) {
      const cgroup = "machine.slice/machine-lxc\\x2d42\\x2dsaker.scope";
      await runInCgroup(cgroup, root, ["sh", "-c", "true", mark]);
      return ["saker", "libvirt-lxc"];
    },
  },
];

Deno.test("containers that no daemon tells of are known by name and kind", async (t) => {
  if (!isRoot()) return;
  await using place = new Place();
  const root = place.file("box");
  try {
    await makeRootDirectory(root);
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    await t.step({ name: `skipped: ${error.message}`, ignore: true, fn() {} });
    return;
  }
  await Deno.mkdir(`${root}/usr`);
  const env = Object.entries(environment(place.path)).map(([name, value]) => `${name}=${value}`);
  await using saker = await watch(place, {});
  for (const { name, act } of ENGINES) {
    await t.step(name, async (t) => {
      const mark = place.mark(name);
      let expected: readonly [string, string | null];
      try {
        expected = await act({ place, root, env }, mark);
      } catch (error) {
        if (!(error instanceof CannotRun)) throw error;
        await t.step({ name: `skipped: ${error.message}`, ignore: true, fn() {} });
        return;
      }
      const alert = await saker.alert(RULE, mark);
      assertEquals(about(alert, "container.id", "container.type"), expected);
    });
  }
});

Deno.test("a container of a user's own Podman is known by that Podman's service", async (t) => {
  await withRuntime(t, "rootless", async (podman, place) => {
    await using saker = await watch(place, { podman: [podman.socket] });
    const mark = place.mark("user");
    const named = ["--name", mark, "--label", "team=red", "--network=none"];
    const command = [IMAGE, "sh", "-c", "true", mark];
    const id = await podman.must("run", "--detach", ...named, ...command);
    const alert = await saker.alert("Of red", mark);
    const of = ["container.id", "container.full_id", "container.name", "container.type"];
    assertEquals(about(alert, ...of), [id.slice(0, 12), id, mark, "podman"]);
    assertEquals(about(alert, "container.image.tag"), ["1"]);
  });
});

Deno.test({
  name: "where engines.static says so every process is in that container",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const one = {
      ...{ enabled: true, container_id: "task-1", container_name: "web" },
      container_image: "host:5000/box:7",
    };
    const args = [...asking(place, {}, { static: one }), ...telling(place)];
    await using saker = await Saker.start([place.marker], { args });
    await run("/bin/sh", ["-c", `/bin/sh -c true ${place.mark("here")}`]);
    const alert = await saker.alert(RULE, place.mark("here"));
    assertEquals(
      about(alert, "container.id", "container.name", "container.image.repository"),
      ["task-1", "web", "host:5000/box"],
    );
    assertEquals((alert as { container_metadata?: string }).container_metadata, undefined);
  },
});
