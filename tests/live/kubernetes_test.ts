// The chart by Helm, and the manifests by kubectl, in a real cluster where one is given
// (SAKER_TEST_KUBECONFIG): installed, told of by every node, changed, exchanged for another version
// and back, and gone without a trace. docs/packages.md has the commands.
import { stringify } from "yaml";
import {
  helm,
  Installed,
  isHere,
  kubectl,
  load,
  NEXT,
  noCluster,
  type Object_,
  onNode,
  processesOf,
  tryHelm,
} from "./cluster/kubernetes.ts";
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { packages, reading, VERSION } from "./packages.ts";
import { eventually } from "./saker.ts";
import { Place, run } from "./trigger.ts";

const SENSITIVE = "Sensitive file read by an untrusted program";
const FIELDS = [
  ...["container.id", "container.name", "container.image.repository", "k8s.ns.name"],
  ...["k8s.pod.name", "k8s.pod.uid", "k8smeta.pod.name", "k8smeta.ns.name"],
  ...["k8smeta.deployment.name", "k8smeta.pod.label[app]"],
];
const NEXT_VERSION = NEXT === "" ? "" : await versionIn(NEXT);

/** Rules of one that tells of a mark. */
function rules(rule: string, mark: string): string {
  const condition =
    `evt.type in (execve, execveat) and proc.name = sh and proc.args contains "${mark}"`;
  const output = `%proc.cmdline ${FIELDS.map((field) => `${field}=%${field}`).join(" ")}`;
  return stringify([{ rule, desc: "d", condition, output, priority: "NOTICE" }]);
}

Deno.test({
  ...named("Helm installs, changes, upgrades, rolls back and uninstalls the chart", noCluster()),
  async fn(t) {
    await using place = new Place();
    const { marker } = place;
    const [namespace, name] = [marker, `saker-${marker.slice(-4)}`];
    const made = await packages(place, ["image", "helm"]);
    const chart = `${made}/saker-chart-${VERSION}.tgz`;
    await load(`${made}/saker-${VERSION}-image.tar`);
    await kubectl("create", "namespace", namespace);
    await using saker = new Installed(namespace, name);
    await saker.startBox();
    const here = await isHere((await saker.box()).spec.nodeName);
    const before = await onNode();
    const release = (...args: string[]) => helm(...args, "--namespace", namespace);
    const wait = ["--wait", "--timeout=3m"];
    const values = async (more: Object_) => {
      const path = place.file("values.yaml");
      await Deno.writeTextFile(
        path,
        stringify({ fullnameOverride: name, podMetadata: { enabled: true }, ...more }),
      );
      return ["--values", path];
    };
    const first = { "first.yaml": rules("First", marker) };
    const second = { "second.yaml": rules("Second", marker) };
    let uid = "";

    await t.step("what Helm renders passes its lint, and a mistaken value does not", async () => {
      await helm("lint", "--strict", chart, ...await values({ rules: first }));
      const mistaken = await tryHelm("template", chart, "--set", "customRules.a=b");
      assertEquals(mistaken.code, 1);
      assertIncludes(mistaken.stderr, "customRules");
    });

    await t.step("installed, every node's pod is ready, and its probes are answered", async () => {
      await release("install", name, chart, ...wait, ...await values({ rules: first }));
      uid = (await saker.ready()).metadata.uid;
      await checkWell(saker);
      assertEquals((await saker.answer("/versions")).saker_version, VERSION);
    });

    await t.step("an alert of a pod has its name, and what the cluster knows of it", async () => {
      await checkBox(saker, "First", place.mark("box"));
    });

    await t.step({
      ...named("an alert of the host is told as the host's", here ? undefined : "no node here"),
      fn: () => checkHost(saker, place.mark("host")),
    });

    await t.step("changed rules hold in the pod that runs", async () => {
      await release("upgrade", name, chart, ...wait, ...await values({ rules: second }));
      await checkBox(saker, "Second", place.mark("changed"));
      assertEquals((await saker.ready()).metadata.uid, uid);
    });

    await t.step("with restartOnChange a changed configuration starts it anew", async () => {
      const more = { rules: second, restartOnChange: true };
      await release("upgrade", name, chart, ...wait, ...await values(more));
      assert((await saker.ready()).metadata.uid !== uid);
    });

    await t.step({
      ...named("the next version takes its place, with the values of before", noNext()),
      async fn() {
        await load(`${NEXT}/saker-${NEXT_VERSION}-image.tar`);
        const next = `${NEXT}/saker-chart-${NEXT_VERSION}.tgz`;
        await release("upgrade", name, next, ...wait, "--reset-then-reuse-values");
        assertEquals((await saker.answer("/versions")).saker_version, NEXT_VERSION);
        await checkBox(saker, "Second", place.mark("next"));
      },
    });

    await t.step("rolled back, version and rules are those of the beginning", async () => {
      await release("rollback", name, "1", ...wait);
      assertEquals((await saker.answer("/versions")).saker_version, VERSION);
      const mark = place.mark("back");
      await checkBox(saker, "First", mark);
      const { metadata } = await saker.ready();
      uid = metadata.uid;
      const told = await saker.alerts(metadata.name, mark);
      assertEquals(new Set(told.map(({ rule }) => rule)), new Set(["First"]));
      await noWarnings(saker);
    });

    await t.step("uninstalled, nothing of it is left in the cluster or on the node", async () => {
      await release("uninstall", name, ...wait);
      await gone(saker, uid, here ? before : undefined);
    });
  },
});

Deno.test({
  ...named("kubectl applies, changes and deletes the manifests", noCluster()),
  async fn(t) {
    await using place = new Place();
    const { marker } = place;
    const [made, unpacked] = [await packages(place, ["image", "manifests"]), place.path];
    const manifest = (version: string) =>
      `${unpacked}/saker-manifests-${version}/saker-with-pod-metadata.yaml`;
    const unpack = async (directory: string, version: string) => {
      const archive = `${directory}/saker-manifests-${version}.tgz`;
      assertEquals((await run("tar", ["-xzf", archive, "-C", unpacked])).code, 0);
      await load(`${directory}/saker-${version}-image.tar`);
    };
    await unpack(made, VERSION);
    // The manifests name it; where there is one, it is somebody's.
    await kubectl("create", "namespace", "saker");
    await using saker = new Installed("saker", "saker");
    await saker.startBox();
    const here = await isHere((await saker.box()).spec.nodeName);
    const before = await onNode();
    const setRules = (text: string) =>
      saker.kubectl(
        ...["patch", "configmap", "saker-rules", "--type=merge"],
        ...["--patch", JSON.stringify({ data: { "own.yaml": text } })],
      );
    let uid = "";

    await t.step("applied, every node's pod is ready", async () => {
      await kubectl("apply", "--filename", manifest(VERSION));
      uid = (await saker.ready()).metadata.uid;
      await checkWell(saker);
    });

    await t.step("rules that are put in tell of a pod", async () => {
      await setRules(rules("First", marker));
      await checkBox(saker, "First", place.mark("box"));
      assertEquals((await saker.ready()).metadata.uid, uid);
    });

    await t.step({
      ...named("an alert of the host is told as the host's", here ? undefined : "no node here"),
      fn: () => checkHost(saker, place.mark("host")),
    });

    await t.step("changed rules hold in the pod that runs", async () => {
      await setRules(rules("Second", marker));
      await checkBox(saker, "Second", place.mark("changed"));
      assertEquals((await saker.ready()).metadata.uid, uid);
    });

    await t.step({
      ...named("those of the next version exchange the pods", noNext()),
      async fn() {
        await unpack(NEXT, NEXT_VERSION);
        await kubectl("apply", "--filename", manifest(NEXT_VERSION));
        uid = (await saker.ready()).metadata.uid;
        assertEquals((await saker.answer("/versions")).saker_version, NEXT_VERSION);
      },
    });

    await t.step("deleted, nothing of it is left in the cluster or on the node", async () => {
      await noWarnings(saker);
      await kubectl("delete", "--filename", manifest(NEXT_VERSION || VERSION), "--timeout=120s");
      await gone(saker, uid, here ? before : undefined);
    });
  },
});

/** It sees; a busy machine may have cost it events, and others are not told why it is degraded. */
async function checkWell(saker: Installed): Promise<void> {
  const { status } = await saker.answer("/healthz");
  assert(status === "ok" || status === "degraded", status);
}

/** What a process of the box does is told with all that runtime and cluster know. */
async function checkBox(saker: Installed, rule: string, mark: string): Promise<void> {
  const { metadata, status } = await saker.box();
  const { output_fields: fields } = await saker.alert(rule, mark, (mark) => saker.inBox(mark));
  const [{ containerID }] = status.containerStatuses;
  assertIncludes(containerID, `//${fields["container.id"]}`);
  const of = (names: readonly string[]) => Object.fromEntries(names.map((n) => [n, fields[n]]));
  assertEquals(of(FIELDS.filter((field) => /k8s|container.name/.test(field))), {
    ...{ "container.name": "box", "k8s.ns.name": saker.namespace },
    ...{ "k8s.pod.name": metadata.name, "k8s.pod.uid": metadata.uid },
    ...{ "k8smeta.pod.name": metadata.name, "k8smeta.ns.name": saker.namespace },
    ...{ "k8smeta.deployment.name": "box", "k8smeta.pod.label[app]": "box" },
  });
}

/** What a process of this machine does is told by a default rule, as no container's. */
async function checkHost(saker: Installed, mark: string): Promise<void> {
  const [program, ...args] = reading(mark);
  const act = async () => void await run(program!, args);
  await saker.alert(SENSITIVE, mark, act);
  const { output_fields: fields } = await saker.alert("First", mark, act);
  assertEquals([fields["container.id"], fields["k8s.pod.name"]], ["host", null]);
}

/** What Kubernetes may say of a pod that is well: it has no name server, or is slow. */
const HARMLESS = [
  "MissingClusterDNS:",
  "Unhealthy: Startup probe failed",
  'FailedMount: MountVolume.SetUp failed for volume "config" : failed to sync configmap cache',
];

/** Kubernetes had nothing to say against its pods: no probe failed, none was killed or refused. */
async function noWarnings(saker: Installed): Promise<void> {
  const { items } = await saker.get("events", "--field-selector", "type=Warning");
  const told = items
    .filter(({ involvedObject }: Object_) => involvedObject.name.startsWith(saker.name))
    .map(({ reason, message }: Object_) => `${reason}: ${message}`)
    .filter((said: string) => !HARMLESS.some((start) => said.startsWith(start)));
  assertEquals(told, []);
}

async function gone(saker: Installed, uid: string, before?: readonly string[]): Promise<void> {
  await eventually("all of it to go", async () => {
    return (await saker.left()).length === 0 ? true : undefined;
  }, 60_000);
  if (before === undefined) return;
  await eventually("its processes to end", () => processesOf(uid).length === 0 || undefined);
  const found = await onNode();
  assertEquals(found.filter((path) => !before.includes(path)), []);
}

function named(name: string, why: string | undefined): { name: string; ignore: boolean } {
  return { name: why === undefined ? name : `${name} (${why})`, ignore: why !== undefined };
}

function noNext(): string | undefined {
  return NEXT === ""
    ? "SAKER_TEST_KUBERNETES_NEXT names no packages of another version"
    : undefined;
}

async function versionIn(directory: string): Promise<string> {
  for await (const { name } of Deno.readDir(directory)) {
    const [, version] = /^saker-chart-(.+)\.tgz$/.exec(name) ?? [];
    if (version !== undefined) return version;
  }
  throw new Error(`SAKER_TEST_KUBERNETES_NEXT: ${directory} holds no chart`);
}
