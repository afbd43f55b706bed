// A real Kubernetes that somebody runs: SAKER_TEST_KUBECONFIG names an administrator's kubeconfig.
// Out: kubectl and Helm against it, and what a saker in it says.
import { assert, assertEquals } from "../expect.ts";
import { type Alert, eventually } from "../saker.ts";
import { has, isFile, type Ran, run, shell } from "../trigger.ts";

const KUBECONFIG = Deno.env.get("SAKER_TEST_KUBECONFIG") ?? "";
/** A command that brings the archive of an image, its last argument, to every node. */
const LOAD = Deno.env.get("SAKER_TEST_KUBERNETES_LOAD") ?? "";
/** A directory with image, chart and manifests of another version. */
export const NEXT = Deno.env.get("SAKER_TEST_KUBERNETES_NEXT") ?? "";
/** An image with a shell and sleep. */
const BOX = Deno.env.get("SAKER_TEST_KUBERNETES_BOX") ?? "busybox:stable";

/** A changed ConfigMap reaches a pod when the kubelet next looks: after a minute by default. */
const PATIENCE_MS = 180_000;

// deno-lint-ignore no-explicit-any -- Objects of any kind.
export type Object_ = any;

/** Why no cluster can be had here; undefined where one can. */
export function noCluster(): string | undefined {
  if (KUBECONFIG === "") return "SAKER_TEST_KUBECONFIG names no cluster";
  if (!isFile(KUBECONFIG)) return `SAKER_TEST_KUBECONFIG: no file ${KUBECONFIG}`;
  if (LOAD === "") return "SAKER_TEST_KUBERNETES_LOAD names no command that loads an image";
  const missing = ["kubectl", "helm"].find((program) => !has(program));
  return missing && `needs ${missing}`;
}

export async function kubectl(...args: readonly string[]): Promise<string> {
  return must(await run("kubectl", ["--kubeconfig", KUBECONFIG, ...args]), "kubectl", args);
}

export async function helm(...args: readonly string[]): Promise<string> {
  return must(await tryHelm(...args), "helm", args);
}

export function tryHelm(...args: readonly string[]): Promise<Ran> {
  return run("helm", ["--kubeconfig", KUBECONFIG, ...args]);
}

function must({ code, stdout, stderr }: Ran, program: string, args: readonly string[]): string {
  assert(code === 0, `${program} ${args.join(" ")}: ${stderr.trim()}`);
  return stdout.trim();
}

export async function load(archive: string): Promise<void> {
  await shell("load", `${LOAD} "$1"`, [archive]);
}

/** A namespace, and the saker that is installed in it under that name. */
export class Installed {
  readonly namespace: string;
  readonly name: string;

  constructor(namespace: string, name: string) {
    this.namespace = namespace;
    this.name = name;
  }

  kubectl(...args: readonly string[]): Promise<string> {
    return kubectl("--namespace", this.namespace, ...args);
  }

  async get(...args: readonly string[]): Promise<Object_> {
    return JSON.parse(await this.kubectl("get", "--output", "json", ...args));
  }

  /** Its pods that are not about to end. */
  async pods(): Promise<Object_[]> {
    const { items } = await this.get("pods", "--selector", "app.kubernetes.io/name=saker");
    return items.filter(({ metadata }: Object_) => metadata.deletionTimestamp === undefined);
  }

  /** Every node has one that is ready and was never started anew; the one beside the box. */
  async ready(): Promise<Object_> {
    await this.kubectl("rollout", "status", `daemonset/${this.name}`, "--timeout=180s");
    const pods = await this.pods();
    for (const { metadata, status } of pods) {
      const [{ ready, restartCount }] = status.containerStatuses;
      assertEquals([metadata.name, ready, restartCount], [metadata.name, true, 0]);
    }
    const box = await this.box();
    const beside = pods.find(({ spec }) => spec.nodeName === box.spec.nodeName);
    assert(beside !== undefined, `no saker on ${box.spec.nodeName}`);
    return beside;
  }

  /** A deployment of one pod in which things are done. */
  async startBox(): Promise<void> {
    await this.kubectl("create", "deployment", "box", `--image=${BOX}`, "--", "sleep", "36000");
    await this.kubectl("rollout", "status", "deployment/box", "--timeout=180s");
  }

  async box(): Promise<Object_> {
    const { items } = await this.get("pods", "--selector", "app=box");
    assertEquals(items.length, 1);
    return items[0];
  }

  /** Runs a shell in the box; its argument is the mark. */
  async inBox(mark: string): Promise<void> {
    await this.kubectl("exec", "deployment/box", "--", "sh", "-c", "true", mark);
  }

  /** What it says on a path, asked by way of the API server. */
  async answer(path: string): Promise<Object_> {
    const { metadata } = await this.ready();
    const pod = `/api/v1/namespaces/${this.namespace}/pods/${metadata.name}:8765`;
    return JSON.parse(await kubectl("get", "--raw", `${pod}/proxy${path}`));
  }

  /** The alert of the rule with the mark, from the saker beside the box; acts until it is there. */
  async alert(rule: string, mark: string, act: (mark: string) => Promise<void>): Promise<Alert> {
    const { metadata } = await this.ready();
    return await eventually(`an alert of "${rule}" with ${mark}`, async () => {
      await act(mark);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return (await this.alerts(metadata.name, mark)).find((alert) => alert.rule === rule);
    }, PATIENCE_MS);
  }

  /** Alerts of a pod that bear the mark. */
  async alerts(pod: string, mark: string): Promise<Alert[]> {
    const said = await this.kubectl("logs", pod);
    return said.split("\n").filter((line) => line.startsWith("{") && line.includes(mark))
      .map((line) => JSON.parse(line) as Alert);
  }

  /** Kinds and names of what still bears its label, in its namespace and outside of any. */
  async left(): Promise<string[]> {
    const kinds = "daemonsets,pods,configmaps,services,serviceaccounts,controllerrevisions," +
      "clusterroles,clusterrolebindings";
    const label = `app.kubernetes.io/name=saker,app.kubernetes.io/instance=${this.name}`;
    const said = await this.kubectl("get", kinds, "--selector", label, "--output", "name");
    return said.split("\n").filter((line) => line !== "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await kubectl("delete", "namespace", this.namespace, "--ignore-not-found", "--timeout=120s");
  }
}

/** Whether a node is this machine, or a container on it: what is done here is seen there. */
export async function isHere(node: string): Promise<boolean> {
  const told = await kubectl("get", "node", node, "--output=jsonpath={.status.nodeInfo.bootID}");
  return told === Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
}

/** Where a saker on the host leaves things; what bears its name there. */
export async function onNode(): Promise<string[]> {
  const script = 'find /etc /run /var/lib /var/log /sys/fs/bpf -xdev -name "*saker*" 2>/dev/null';
  const { stdout } = await run("/bin/sh", ["-c", `${script}; true`]);
  return stdout.split("\n").sort();
}

/** Processes of this machine whose cgroup is a pod's, by its uid. */
export function processesOf(uid: string): string[] {
  const names = [uid, uid.replaceAll("-", "_")];
  return [...Deno.readDirSync("/proc")].map(({ name }) => name).filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const groups = Deno.readTextFileSync(`/proc/${pid}/cgroup`);
      return names.some((name) => groups.includes(name));
    } catch {
      return false;
    }
  });
}
