// Rules on containers fire in a real one, and those on the host on this machine: the default rules,
// and where they lie beside the project (../shared/rules) the official ones of all three files.
import { existsSync } from "node:fs";
import { assert, assertEquals } from "./expect.ts";
import {
  CAPABLE,
  type Cases,
  IN_POD,
  NAMESPACE,
  OUTSIDE,
  OWN,
  PRIVILEGED,
  SETTINGS,
  WEAK,
} from "./container_rules_cases.ts";
import { noGrpcClient } from "../outputs/grpc.ts";
import { CriClient } from "./runtimes/cri.ts";
import type { Docker } from "./runtimes/docker.ts";
import { IMAGE } from "./runtimes/image.ts";
import { unpacked } from "./runtimes/unpacked.ts";
import { asking, PATIENT, untilUp } from "./runtimes/watched.ts";
import { withRuntime } from "./runtimes/with_runtime.ts";
import { eventually, runSaker, Saker } from "./saker.ts";
import { Place, run } from "./trigger.ts";

const OFFICIAL = new URL("../../../shared/rules/", import.meta.url).pathname;
const FILES = ["falco_rules", "falco-incubating_rules", "falco-sandbox_rules"];

async function created(docker: Docker, options: readonly string[], script: string) {
  const id = await docker.must("create", ...options, IMAGE, "/bin/sh", "-c", script);
  return { id, short: id.slice(0, 12) };
}

async function expectRules(saker: Saker, marker: string, rules: readonly string[]): Promise<void> {
  const missing = () => {
    const told = new Set(
      saker.alertsWith(marker).map(({ rule }) => rule),
    );
    return rules.filter((rule) => !told.has(rule));
  };
  try {
    await eventually("alerts", () => missing().length === 0 ? true : undefined, 20_000);
  } catch {
    assert(false, `no alert of: ${missing().join(", ")}`);
  }
}

const RIGHTS = ["SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "NET_ADMIN"]
  .flatMap((capability) => ["--cap-add", capability]);
/** The host's programs: the image has no Python of its own. */
const PROGRAMS = ["/usr", "/lib", "/lib64"].flatMap((path) => ["--volume", `${path}:${path}:ro`]);
const ROOM = ["--network=none", "--security-opt=seccomp=unconfined", ...RIGHTS, ...PROGRAMS];
const EXTRA = [
  "-o",
  "rule_matching=all",
  "-o",
  'append_output[]={"extra_fields":["container.id","container.name","k8s.pod.name"]}',
];

function scriptOf(steps: Cases): string {
  return steps.map(([, script]) => `(${script}) > /dev/null 2>&1`).join("; ") + "; wait";
}

Deno.test("the default rules on containers fire in a container", async (t) => {
  await withRuntime(t, "docker", async (docker) => {
    const { id, short } = await created(docker, ["--tty", ...ROOM], scriptOf(OWN));
    await using saker = await Saker.start([short], { args: EXTRA });
    await docker.must("start", id);
    await expectRules(saker, short, OWN.map(([rule]) => rule));
  });
});

const official = () => FILES.flatMap((name) => ["-r", `${OFFICIAL}${name}.yaml`]);

Deno.test({
  name: "the official rules on containers fire in containers, those on the host on this machine",
  ignore: !existsSync(OFFICIAL),
  async fn(t) {
    await withRuntime(t, "docker", async (docker, place) => {
      const create = (name: string, options: readonly string[], steps: Cases) =>
        docker.must(
          ...["create", "--name", place.mark(name)],
          ...[...options, IMAGE, "/bin/sh", "-c", scriptOf(steps)],
        );
      await create("capable", ["--tty", ...ROOM], CAPABLE);
      await create(
        "privileged",
        ["--network=none", "--privileged", "-v", "/etc:/host/etc:ro"],
        PRIVILEGED,
      );
      const free = "--security-opt=seccomp=unconfined";
      await create("weak", ["--network=none", "--user=boxer", free, ...PROGRAMS], WEAK);
      const tar = [IMAGE, "tar", "cf", "-", "/bin"];
      await docker.must("create", "--network=none", "--name", place.mark("tar"), ...tar);
      const asked = asking(place, { docker: [docker.socket] });
      const args = [...asked, ...official(), ...settings(place), ...PATIENT, ...EXTRA];
      await using saker = await Saker.start([place.marker], { args });
      await untilUp(saker, "docker");
      for (const name of ["capable", "privileged", "weak", "tar"]) {
        await docker.must("start", place.mark(name));
      }
      await onHost(place);
      const fired = (name: string, rules: readonly string[]) =>
        expectRules(saker, `"${place.mark(name)}"`, rules);
      await fired("capable", CAPABLE.map(([rule]) => rule));
      await fired("privileged", PRIVILEGED.map(([rule]) => rule));
      await fired("weak", WEAK.map(([rule]) => rule));
      await fired("tar", ["Exfiltrating Artifacts via Kubernetes Control Plane"]);
      await expectRules(saker, place.marker, OUTSIDE.map(([rule]) => rule));
      // Alerts of one container come in order: by now all of these would have come.
      const wrong = saker.alertsWith(`"${place.mark("weak")}"`).filter(({ rule }) =>
        /^Launch (Privileged|Excessively)/.test(rule)
      );
      assertEquals(wrong.map(({ output }) => output), []);
      const own = saker.alertsWith(`"${place.mark("privileged")}"`);
      const { output } = own.find(({ rule }) => rule === "Launch Sensitive Mount Container")!;
      assert(output.includes("mounts=/etc:/host/etc:"), output);
    });
  },
});

Deno.test({
  name: "the official rules on a pod's namespace fire in a pod of it",
  ignore: !existsSync(OFFICIAL),
  async fn(t) {
    const missing = noGrpcClient();
    if (missing !== undefined) {
      await t.step({ name: `skipped: ${missing}`, ignore: true, fn() {} });
      return;
    }
    await withRuntime(t, "containerd", async (containerd, place) => {
      const asked = asking(place, { cri: [containerd.socket] });
      const args = [...asked, ...official(), ...settings(place), ...PATIENT, ...EXTRA];
      await using saker = await Saker.start([place.marker], { args });
      await untilUp(saker, "cri");
      await using cri = new CriClient(containerd.socket);
      await cri.run({
        pod: { name: place.mark("pod"), uid: "uid-1", namespace: NAMESPACE },
        containers: [{
          ...{ name: "inner", image: IMAGE, privileged: true },
          command: ["sh", "-c", scriptOf(IN_POD)],
        }],
      });
      await expectRules(saker, `"${place.mark("pod")}"`, IN_POD.map(([rule]) => rule));
    });
  },
});

Deno.test({
  name: "every official rule that asks of a container is among those that fire",
  ignore: !existsSync(OFFICIAL),
  async fn() {
    await using place = new Place();
    const list = ["-L", "-o", "json_output=true", ...official(), ...settings(place)];
    const { code, stdout, stderr } = await runSaker(list);
    assertEquals(code, 0, stderr);
    const { rules } = JSON.parse(stdout) as {
      rules: { info: { name: string }; details: { condition_fields: string[] } }[];
    };
    const asks = rules.filter(({ details }) =>
      details.condition_fields.some((field) => /^(container|k8s)\./.test(field))
    );
    const fired = new Set([...CAPABLE, ...PRIVILEGED, ...WEAK, ...IN_POD].map(([rule]) => rule));
    for (const [rule] of OUTSIDE) fired.add(rule);
    fired.add("Exfiltrating Artifacts via Kubernetes Control Plane");
    const names = asks.map(({ info }) => info.name).filter((name) => !fired.has(name));
    assertEquals(names, []);
    assert(asks.length > 30, `${asks.length} rules`);
  },
});

/** Turns on the rules that are off, and names what the others leave open. */
function settings(place: Place): string[] {
  Deno.writeTextFileSync(place.file("settings.yaml"), JSON.stringify(SETTINGS));
  return ["-r", place.file("settings.yaml")];
}

async function onHost(place: Place): Promise<void> {
  for (const [, name, args] of OUTSIDE) {
    const program = place.file(name);
    if (!existsSync(program)) await Deno.copyFile(unpacked("busybox"), program);
    await Deno.chmod(program, 0o755);
    await run(program, [...args, place.marker]);
  }
}
