// Saker in a container, with the rights and mounts that the manifests give it (deploy/): it tells
// the host from its own container and from others, and looks things up below HOST_ROOT.
import { parseAllDocuments } from "yaml";
import { assertEquals } from "./expect.ts";
import { missingCapabilities } from "./runtimes/rights.ts";
import { withRuntime } from "./runtimes/with_runtime.ts";
import { type Alert, eventually, freePort, SAKER } from "./saker.ts";
import { run, shell, triggersOf } from "./trigger.ts";

const MANIFEST = new URL("../../deploy/kubernetes/saker.yaml", import.meta.url).pathname;
/** What the image has of the C library, here the machine's. */
const LIBRARIES = ["/lib", "/lib64", "/usr/lib"];

/** The capabilities that the daemon set adds, as far as this machine has them. */
function capabilities(): string[] {
  const missing = missingCapabilities();
  for (const document of parseAllDocuments(Deno.readTextFileSync(MANIFEST))) {
    const { kind, spec } = document.toJS();
    if (kind !== "DaemonSet") continue;
    const added: string[] = spec.template.spec.containers[0].securityContext.capabilities.add;
    return added.filter((name) => !missing.includes(`CAP_${name}`));
  }
  throw new Error("the manifest has no daemon set");
}

/** The host's directories that it mounts. */
function mounts(): string[] {
  const names = ["proc", "etc", "sys/fs/cgroup", "run"];
  return names.flatMap((name) => mount(`/${name}`, `/host/${name}`));
}

/** What every container has unless it is taken from it. */
const USUAL = (
  "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE " +
  "SYS_CHROOT KILL AUDIT_WRITE"
).split(" ");

function mount(source: string, target: string, options = "rbind:ro"): string[] {
  return ["--mount", `type=bind,src=${source},dst=${target},options=${options}`];
}

Deno.test("in a container saker tells the host from its own container and others", async (t) => {
  await withRuntime(t, "containerd", async (containerd, place) => {
    const port = freePort();
    await Deno.writeTextFile(
      place.file("rules.yaml"),
      `- rule: Program seen
  desc: a program of the test
  condition: evt.type = execve and evt.res = SUCCESS and ${triggersOf(place.marker)}
  output: "%container.id %proc.name %proc.cmdline %user.name"
  priority: NOTICE
`,
    );
    const id = `saker-${place.marker.slice(-4)}`;
    const log = place.file("log");
    await containerd.must(
      ...["run", "--detach", "--net-host", "--log-uri", `file://${log}`],
      ...["--env", "HOST_ROOT=/host"],
      ...USUAL.flatMap((name) => ["--cap-drop", `CAP_${name}`]),
      ...capabilities().flatMap((name) => ["--cap-add", `CAP_${name}`]),
      ...mounts(),
      ...LIBRARIES.flatMap((path) => mount(path, path)),
      ...mount("/sys/kernel/tracing", "/sys/kernel/tracing"),
      ...mount(SAKER, "/saker"),
      ...mount(place.path, "/place"),
      ...["--rootfs", containerd.root, id],
      ...["/saker", "-r", "/place/rules.yaml", "--listen", `127.0.0.1:${port}`],
    );
    const logged = async () => await Deno.readTextFile(log).catch(() => "");
    await eventually("saker to see", async () => {
      const tasks = await containerd.must("tasks", "ls");
      if (!new RegExp(`^${id}\\s+\\d+\\s+RUNNING`, "m").test(tasks)) {
        throw new Error(`saker ended: ${(await logged()).slice(-500)}`);
      }
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
      await answer?.body?.cancel();
      return answer?.status === 200 ? true : undefined;
    });

    await shell(place.mark("host"), ":");
    const nobody = ["--reuid=65534", "--clear-groups", "/bin/sh", "-c", ":", place.mark("nobody")];
    await run("setpriv", nobody);
    const root = ["run", "--rm", "--rootfs", containerd.root];
    await containerd.must(...root, `other-${id}`, "/bin/sh", "-c", ":", place.mark("other"));
    const joins = ["tasks", "exec", "--exec-id", "joins", id, "/bin/sh", "-c", ":"];
    await containerd.must(...joins, place.mark("own"));

    const fieldsOf = async (name: string) => {
      const alert = await eventually(
        `the alert of ${name}`,
        async () =>
          (await logged()).split("\n").filter((line) =>
            line.startsWith("{") && line.includes(place.mark(name))
          )
            .map((line) => JSON.parse(line) as Alert)
            .find(({ output_fields }) =>
              output_fields["proc.name"] === "sh" &&
              `${output_fields["proc.cmdline"]}`.endsWith(place.mark(name))
            ),
      );
      return alert.output_fields;
    };
    assertEquals((await fieldsOf("host"))["container.id"], "host");
    const asNobody = await fieldsOf("nobody");
    assertEquals([asNobody["container.id"], asNobody["user.name"]], ["host", "nobody"]);
    assertEquals((await fieldsOf("other"))["container.id"], `other-${id}`);
    assertEquals((await fieldsOf("own"))["container.id"], id);
  });
});
