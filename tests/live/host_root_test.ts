// Saker in a container, with the rights and mounts that the manifests give it (deploy/): it tells
// the host from its own container and from others, and looks things up below HOST_ROOT.
import { parseAllDocuments } from "yaml";
import { assertEquals } from "./expect.ts";
import { missingCapabilities } from "./runtimes/rights.ts";
import { withRuntime } from "./runtimes/with_runtime.ts";
import { type Alert, eventually, freePort, SAKER } from "./saker.ts";
import { type Place, run, shell, triggersOf } from "./trigger.ts";

const MANIFEST = new URL("../../deploy/kubernetes/saker.yaml", import.meta.url).pathname;
const RULES = new URL("../../rules", import.meta.url).pathname;
/** What the image has of the C library, here the machine's. */
const LIBRARIES = ["/lib", "/lib64", "/usr/lib"];

// deno-lint-ignore no-explicit-any -- Documents of any kind.
type Document = any;

const DOCUMENTS: Document[] = parseAllDocuments(Deno.readTextFileSync(MANIFEST))
  .map((document) => document.toJS());

/** The pod that the daemon set describes. */
function pod(): Document {
  return DOCUMENTS.find(({ kind }) => kind === "DaemonSet").spec.template.spec;
}

/** The capabilities that the daemon set adds, as far as this machine has them. */
function capabilities(): string[] {
  const missing = missingCapabilities();
  const added: string[] = pod().containers[0].securityContext.capabilities.add;
  return added.filter((name) => !missing.includes(`CAP_${name}`));
}

/** What it mounts, in its order; what config maps hold lies below `place`. */
function mounts(place: Place, maps: Readonly<Record<string, Record<string, string>>>): string[] {
  const volumes: Document[] = pod().volumes;
  return pod().containers[0].volumeMounts.flatMap(({ name, mountPath, readOnly }: Document) => {
    const { hostPath, configMap } = volumes.find((volume) => volume.name === name);
    if (hostPath) return mount(hostPath.path, mountPath, readOnly ? "rbind:ro" : "rbind");
    if (!configMap) return ["--mount", `type=tmpfs,src=tmpfs,dst=${mountPath},options=rw`];
    const directory = place.file(name);
    Deno.mkdirSync(directory);
    for (const [file, text] of Object.entries(maps[configMap.name]!)) {
      Deno.writeTextFileSync(`${directory}/${file}`, text);
    }
    return mount(directory, mountPath);
  });
}

/** falco.yaml as the manifest has it, but for the port, which another may have here. */
function configuration(port: number): string {
  const maps = DOCUMENTS.filter(({ kind }) => kind === "ConfigMap");
  const text: string = maps.find(({ data }) => data["falco.yaml"]).data["falco.yaml"];
  return text.replace("0.0.0.0", "127.0.0.1").replace("listen_port: 8765", `listen_port: ${port}`);
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
    // Of the host's directories the manifest mounts few, and its first process's root is not to be
    // had everywhere.
    const below = place.file("files");
    await Deno.mkdir(below);
    const [secret, link] = [`${below}/secret`, `${below}/link`];
    await Deno.writeTextFile(secret, "");
    await Deno.link(secret, link);
    const rules = `- rule: Program seen
  desc: a program of the test
  condition: evt.type = execve and evt.res = SUCCESS and ${triggersOf(place.marker)}
  output: "%container.id %proc.name %proc.cmdline %user.name"
  priority: NOTICE
- rule: Secret read
  desc: by any of its names, of which one was there before
  condition: evt.type in (open, openat) and fd.name = ${secret} and ${triggersOf(place.marker)}
  output: "%container.id %proc.name %proc.cmdline %fd.name.other"
  priority: NOTICE
`;
    // As the image has them: without their tests.
    const own = place.file("image");
    await Deno.mkdir(own);
    for (const { name } of Deno.readDirSync(RULES)) {
      if (!name.endsWith("_test.yaml")) await Deno.copyFile(`${RULES}/${name}`, `${own}/${name}`);
    }
    const maps = {
      "saker": { "falco.yaml": configuration(port) },
      "saker-rules": { "rules.yaml": rules },
    };
    const id = `saker-${place.marker.slice(-4)}`;
    const log = place.file("log");
    await containerd.must(
      ...["run", "--detach", "--net-host", "--read-only", "--log-uri", `file://${log}`],
      ...["--env", "HOST_ROOT=/host"],
      ...USUAL.flatMap((name) => ["--cap-drop", `CAP_${name}`]),
      ...capabilities().flatMap((name) => ["--cap-add", `CAP_${name}`]),
      ...mounts(place, maps),
      ...mount(below, `/host${below}`),
      ...LIBRARIES.flatMap((path) => mount(path, path)),
      ...mount(SAKER, "/saker"),
      ...mount(own, "/usr/share/saker/rules"),
      ...["--rootfs", containerd.root, id],
      ...["/saker", ...pod().containers[0].args],
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

    const health = async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/healthz`);
      // deno-lint-ignore no-explicit-any -- As /healthz has it.
      return await answer.json() as any;
    };
    await eventually(
      "files of rules to be known",
      async () => (await health()).names.files_of_rules > 0 || undefined,
    );
    await shell(place.mark("linked"), `true < ${link}`);
    const read = await eventually(
      "the alert of the link",
      async () =>
        (await logged()).split("\n").find((line) =>
          line.includes('"rule":"Secret read"') && line.includes(place.mark("linked"))
        ),
    );
    const { output_fields: fields } = JSON.parse(read) as Alert;
    assertEquals([fields["container.id"], fields["fd.name.other"]], ["host", link]);
    assertEquals((await health()).programs.refused, []);

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
