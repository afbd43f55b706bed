// The container image in a real Docker: loaded, run with what the manifests allow and no more, it
// sees the host and alerts; its list of parts names every package of the lock files.
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { lockedCrates } from "../../scripts/packages/sbom.ts";
import { packages, VERSION } from "./packages.ts";
import { missingCapabilities } from "./runtimes/rights.ts";
import { withRuntime } from "./runtimes/with_runtime.ts";
import { type Alert, eventually, freePort } from "./saker.ts";
import { has, Place, shell } from "./trigger.ts";

const REPOSITORY = new URL("../..", import.meta.url).pathname;
const TAG = `saker:${VERSION}`;
const RULE = "Sensitive file read by an untrusted program";
const CAPABILITIES = [
  "BPF",
  "PERFMON",
  "SYS_PTRACE",
  "SYS_RESOURCE",
  "SYS_NICE",
  "DAC_READ_SEARCH",
];
const MOUNTS = [
  ["/proc", "/host/proc"],
  ["/etc", "/host/etc"],
  ["/sys/fs/cgroup", "/host/sys/fs/cgroup"],
  ["/sys/kernel/tracing", "/sys/kernel/tracing"],
] as const;
const SHOWING = [
  ...["-o", "json_output=true", "-o", 'append_output[]={"extra_fields": ["container.id"]}'],
];
/** What every container has unless it is taken from it. */
const USUAL = (
  "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE " +
  "SYS_CHROOT KILL AUDIT_WRITE"
).split(" ");

/** Makes the image; its archive. */
async function archive(place: Place): Promise<string> {
  return `${await packages(place, ["image"])}/saker-${VERSION}-image.tar`;
}

/** What the manifests allow, as far as this machine has it. */
function capabilities(): string[] {
  const missing = missingCapabilities();
  return CAPABILITIES.filter((name) => !missing.includes(`CAP_${name}`));
}

Deno.test("the image is loaded into Docker, sees the host, and alerts", {
  ignore: !has("dpkg") || !has("readelf"),
}, async (t) => {
  await withRuntime(t, "docker", async (docker, place) => {
    const image = await archive(place);
    assertIncludes(await docker.must("load", "--input", image), TAG);
    const labels = await docker.must("inspect", "-f", "{{json .Config.Labels}}", TAG);
    assertEquals(JSON.parse(labels)["org.opencontainers.image.version"], VERSION);
    const told = await docker.must("run", "--rm", "--network=none", TAG, "--version");
    assertIncludes(told, `saker version: ${VERSION} `);

    const port = freePort();
    // This Docker (20.10) knows of no CAP_BPF and CAP_PERFMON; CAP_SYS_ADMIN stands for both.
    const added = capabilities().filter((name) => !["BPF", "PERFMON"].includes(name));
    const id = await docker.must(
      ...["run", "--detach", "--network=host", "--read-only", "--tmpfs=/tmp:exec"],
      ...["--security-opt=no-new-privileges", "--security-opt=seccomp=unconfined"],
      ...["--cap-drop=ALL", "--cap-add=SYS_ADMIN", ...added.map((name) => `--cap-add=${name}`)],
      ...MOUNTS.flatMap(([from, to]) => ["--volume", `${from}:${to}:ro`]),
      ...[TAG, ...SHOWING, "--listen", `127.0.0.1:${port}`],
    );
    await ready(port, async () => {
      const running = await docker.must("inspect", "-f", "{{.State.Running}}", id);
      return running === "true" ? undefined : (await docker.cli("logs", id)).stderr;
    });
    await checkAlert(place.mark("docker"), async () => (await docker.cli("logs", id)).stdout);
    await checkParts(place, image);
  });
});

Deno.test("the image runs in containerd with the capabilities of the manifests alone", {
  ignore: !has("dpkg") || !has("readelf"),
}, async (t) => {
  await withRuntime(t, "containerd", async (containerd, place) => {
    await containerd.must("images", "import", await archive(place));
    const name = `docker.io/library/${TAG}`;
    assertIncludes(await containerd.must("images", "ls", "-q"), name);
    const port = freePort();
    const log = place.file("log");
    const logged = async () => await Deno.readTextFile(log).catch(() => "");
    const id = `saker-${place.marker.slice(-4)}`;
    await containerd.must(
      ...["run", "--detach", "--net-host", "--read-only", "--log-uri", `file://${log}`],
      ...USUAL.flatMap((one) => ["--cap-drop", `CAP_${one}`]),
      ...capabilities().flatMap((one) => ["--cap-add", `CAP_${one}`]),
      ...MOUNTS.flatMap(([from, to]) => [
        ...["--mount", `type=bind,src=${from},dst=${to},options=rbind:ro`],
      ]),
      ...["--mount", "type=tmpfs,src=tmpfs,dst=/tmp,options=rw", name, id],
      ...["/usr/bin/saker", ...SHOWING, "--listen", `127.0.0.1:${port}`],
    );
    await ready(port, async () => {
      const tasks = await containerd.must("tasks", "ls");
      const runs = new RegExp(`^${id}\\s+\\d+\\s+RUNNING`, "m").test(tasks);
      return runs ? undefined : (await logged()).slice(-500);
    });
    await checkAlert(place.mark("containerd"), logged);
  });
});

/** `ended` gives what saker said before it ended, and nothing while it runs. */
async function ready(port: number, ended: () => Promise<string | undefined>): Promise<void> {
  await eventually("saker to see", async () => {
    const said = await ended();
    if (said !== undefined) throw new Error(`saker ended: ${said}`);
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.status === 200 || undefined;
  });
}

/** What a process of the host does is told, as the host's. */
async function checkAlert(mark: string, logged: () => Promise<string>): Promise<void> {
  await shell(mark, "cat /etc/shadow > /dev/null; true");
  const alert = await eventually(
    `the alert of ${mark}`,
    async () =>
      (await logged()).split("\n").filter((line) => line.startsWith("{") && line.includes(mark))
        .map((line) => JSON.parse(line) as Alert).find(({ rule }) => rule === RULE),
  );
  assertEquals(alert.output_fields["container.id"], "host");
}

/** The list in the image names all that the lock files do, with what is in it marked so. */
async function checkParts(place: Place, image: string): Promise<void> {
  const work = place.file("image");
  await Deno.mkdir(work);
  await shell(
    place.marker,
    `tar -xf "$1" -C "$2" && cd "$2" &&
tar -xzf "$(ls -S blobs/sha256/* | head -1)" usr/share/saker/sbom.cdx.json`,
    [image, work],
  );
  const list = JSON.parse(await Deno.readTextFile(`${work}/usr/share/saker/sbom.cdx.json`));
  const components: readonly { purl: string; scope: string; licenses?: unknown }[] =
    list.components;
  const purls = new Set(components.map(({ purl }) => purl));
  for (const lock of ["Cargo.lock", "ebpf-rs/Cargo.lock", "kmod/Cargo.lock"]) {
    for (const [name, version] of lockedCrates(await Deno.readTextFile(`${REPOSITORY}${lock}`))) {
      assert(purls.has(`pkg:cargo/${name}@${version}`), `${lock}: ${name} ${version}`);
    }
  }
  const { npm } = JSON.parse(await Deno.readTextFile(`${REPOSITORY}deno.lock`));
  const npmListed = components.filter(({ purl }) => purl.startsWith("pkg:npm/"));
  assertEquals(npmListed.length, Object.keys(npm).length);
  const bare = components.filter(({ purl, scope, licenses }) =>
    scope === "required" && licenses === undefined && !purl.startsWith("pkg:deb/")
  );
  assertEquals(bare, [], "parts of the executable without a licence");
  const scopeOf = (name: string) =>
    components.find(({ purl }) => purl.includes(`/${name}@`))?.scope;
  assertEquals(["hono", "playwright-core", "aya"].map(scopeOf), [
    "required",
    "excluded",
    "required",
  ]);
}
