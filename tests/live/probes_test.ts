// Commands that Docker and the kubelet run in containers by themselves: rules tell them from what
// somebody else runs there. Real runtimes, on the built binary.
import { assertEquals } from "./expect.ts";
import { eventually, Saker } from "./saker.ts";
import type { Place } from "./trigger.ts";
import { noGrpcClient } from "../outputs/grpc.ts";
import { CriClient } from "./runtimes/cri.ts";
import { IMAGE } from "./runtimes/image.ts";
import { withRuntime } from "./runtimes/with_runtime.ts";

const KINDS = ["healthcheck", "liveness_probe", "readiness_probe"] as const;

async function watch(place: Place, engine: "docker" | "cri", socket: string): Promise<Saker> {
  const rule = (name: string, condition: string) => ({
    ...{ rule: name, desc: name, priority: "NOTICE" },
    output: "%proc.cmdline %container.name %container.healthcheck %container.liveness_probe " +
      "%container.readiness_probe",
    condition: `evt.type in (execve, execveat) and ${condition} and ` +
      `proc.cmdline startswith "sh -c true ${place.marker}"`,
  });
  const rules = [
    ...KINDS.map((kind) => rule(kind, `proc.is_container_${kind}=true`)),
    rule(
      "somebody",
      `container.id != host${
        KINDS.map((kind) => ` and not proc.is_container_${kind}=true`).join("")
      }`,
    ),
  ];
  await Deno.writeTextFile(place.file("rules.yaml"), JSON.stringify(rules));
  const off = { enabled: false };
  const engines = {
    ...{ docker: off, podman: off, containerd: off, cri: off },
    [engine]: { enabled: true, sockets: [socket] },
  };
  const plugin = { name: "container", library_path: "libcontainer.so", init_config: { engines } };
  const config = { plugins: [plugin], load_plugins: ["container"], json_output: true };
  await Deno.writeTextFile(place.file("falco.yaml"), JSON.stringify(config));
  const args = ["-c", place.file("falco.yaml"), "-r", place.file("rules.yaml")];
  return Saker.start([place.marker], { args: [...args, "-o", "rule_matching=all"] });
}

/** Rules of the alerts on what ran with the marker: others show it as their container's probe. */
function rulesOf(saker: Saker, mark: string): string[] {
  const own = saker.alerts().filter(({ output_fields: fields }) =>
    `${fields["proc.cmdline"]}`.endsWith(mark)
  );
  return [...new Set(own.map(({ rule }) => rule))];
}

Deno.test("Docker's health check is told from what somebody runs in its container", async (t) => {
  await withRuntime(t, "docker", async (docker, place) => {
    await using saker = await watch(place, "docker", docker.socket);
    const [check, other, name] = [place.mark("check"), place.mark("other"), place.mark("box")];
    const line = `true ${check}`;
    await docker.must(
      ...["run", "-d", "--network=none", "--name", name, "--health-cmd", line],
      ...["--health-interval", "1s", IMAGE, "sleep", "3600"],
    );
    const alert = await saker.alert("healthcheck", check);
    assertEquals(alert.output_fields["container.healthcheck"], `/bin/sh -c ${line}`);
    assertEquals(alert.output_fields["container.name"], name);
    await docker.must("exec", name, "sh", "-c", `true ${other}`);
    await saker.alert("somebody", other);
    assertEquals(rulesOf(saker, other), ["somebody"]);
    await docker.must("rm", "-f", name);
  });
});

Deno.test("probes of a pod are those that kubectl applied", async (t) => {
  const missing = noGrpcClient();
  if (missing !== undefined) {
    await t.step({ name: `skipped: ${missing}`, ignore: true, fn() {} });
    return;
  }
  await withRuntime(t, "containerd", async (containerd, place) => {
    await using saker = await watch(place, "cri", containerd.socket);
    await using cri = new CriClient(containerd.socket);
    const command = (step: string) => ["sh", "-c", `true ${place.mark(step)}`];
    const probe = (step: string) => ({ exec: { command: command(step) } });
    const applied = {
      spec: {
        containers: [
          { name: "other", livenessProbe: probe("nobody") },
          { name: "inner", livenessProbe: probe("live"), readinessProbe: probe("ready") },
        ],
      },
    };
    const { containers: [container] } = await cri.run({
      pod: {
        ...{ name: "saker-probes", uid: "uid-of-probes", namespace: "saker-space" },
        annotations: {
          "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify(applied),
        },
      },
      containers: [{ name: "inner", image: IMAGE, command: ["sleep", "3600"] }],
    });
    // Alerts do not wait for what only these fields ask for: the container is to be known first.
    await eventually("the container to be known", async () => {
      await cri.exec(container!, command("known"));
      const alerts = saker.alertsWith(place.mark("known"));
      return alerts.find(({ output_fields: f }) => f["container.name"] === "inner");
    });
    for (const [step, kind] of [["live", "liveness_probe"], ["ready", "readiness_probe"]]) {
      await cri.exec(container!, command(step!));
      const alert = await saker.alert(kind!, place.mark(step!));
      assertEquals(alert.output_fields[`container.${kind}`], command(step!).join(" "));
      assertEquals(rulesOf(saker, place.mark(step!)), [kind]);
    }
    assertEquals(rulesOf(saker, place.mark("known")), ["somebody"]);
  });
});
