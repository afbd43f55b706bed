// The real runtimes that other tests use: each starts here, runs containers of the test's image,
// and leaves nothing behind.
import { assert, assertEquals } from "./expect.ts";
import { IMAGE } from "./runtimes/image.ts";
import { withRuntime } from "./runtimes/with_runtime.ts";

const ID = /\b([0-9a-f]{64})\b/;
const CGROUP = "cat /proc/self/cgroup; echo $$";

/** What of the machine a runtime would leave: mounts, processes' cgroups, files in /run. */
function traces(): string[] {
  const names = (path: string) => [...Deno.readDirSync(path)].map(({ name }) => `${path}/${name}`);
  const tops = names("/sys/fs/cgroup").filter((path) => Deno.statSync(path).isDirectory);
  return [...tops.flatMap(names), ...names("/run"), ...names("/var/lib")]
    .filter((path) => /docker|containerd|libpod|crun|runc|default$|k8s\.io/.test(path));
}

Deno.test("docker runs containers of an image that no registry knows", async (t) => {
  const before = traces();
  await withRuntime(t, "docker", async (docker) => {
    const out = await docker.must("run", "--rm", "--network=none", IMAGE, "sh", "-c", CGROUP);
    assert(ID.test(out), out);
    assertEquals(out.split("\n").at(-1), "1");
    const rights = ["--privileged", "--network=host", "--pid=host"];
    assertEquals(await docker.must("run", "--rm", ...rights, IMAGE, "echo", "all"), "all");
  });
  assertEquals(traces(), before);
});

Deno.test("podman runs containers of an image that no registry knows", async (t) => {
  const before = traces();
  await withRuntime(t, "podman", async (podman) => {
    const out = await podman.must("run", "--rm", "--network=none", IMAGE, "sh", "-c", CGROUP);
    assert(ID.test(out), out);
    const rights = ["--privileged", "--network=host", "--pid=host"];
    assertEquals(await podman.must("run", "--rm", ...rights, IMAGE, "echo", "all"), "all");
  });
  assertEquals(traces(), before);
});

Deno.test("containerd runs containers of an image and of a directory", async (t) => {
  const before = traces();
  await withRuntime(t, "containerd", async (containerd) => {
    const run = ["run", "--rm"];
    const of = [`docker.io/${IMAGE}`, IMAGE];
    const images = await containerd.must("images", "ls", "-q");
    const image = of.find((name) => images.split("\n").includes(name));
    assert(image !== undefined, images);
    const out = await containerd.must(...run, image, "saker-one", "sh", "-c", CGROUP);
    assert(out.includes("/default/saker-one"), out);
    const root = ["--rootfs", containerd.root, "saker-two"];
    assertEquals(await containerd.must(...run, "--privileged", ...root, "/bin/echo", "all"), "all");
  });
  assertEquals(traces(), before);
});
