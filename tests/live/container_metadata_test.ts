// Containers of real runtimes, on the built binary: what the runtime knows of a container stands in
// its alerts and decides its rules, however short it lives.
import { assert, assertEquals } from "./expect.ts";
import { noGrpcClient } from "../outputs/grpc.ts";
import { CriClient } from "./runtimes/cri.ts";
import { IMAGE } from "./runtimes/image.ts";
import { about, PATIENT, untilUp, watch } from "./runtimes/watched.ts";
import { withRuntime } from "./runtimes/with_runtime.ts";

const WHAT = ["container.image.repository", "container.image.tag", "container.privileged"];

/** Docker's and Podman's command lines are alike. */
async function commandLine(
  t: Deno.TestContext,
  name: "docker" | "podman",
  repository: string,
): Promise<void> {
  await withRuntime(t, name, async (runtime, place) => {
    await using saker = await watch(place, { [name]: [runtime.socket] }, undefined, PATIENT);
    const start = (mark: string, ...options: string[]) =>
      runtime.must(
        ...["run", "--rm", "--network=none", "--name", mark, "--label", "team=red"],
        ...[...options, IMAGE, "sh", "-c", "true", mark],
      );
    const short = place.mark("short");
    await start(short);
    const alert = await saker.alert("In a container", short);
    assertEquals(about(alert, "container.name", ...WHAT), [short, repository, "1", false]);
    assertEquals(about(alert, "container.label[team]", "container.type"), ["red", name]);
    assert(/^[0-9a-f]{12}$/.test(`${alert.output_fields["container.id"]}`), alert.output);
    await saker.alert("Of red", short);
    const rights = place.mark("rights");
    await start(rights, "--privileged", "-v", "/etc:/host/etc:ro");
    const all = await saker.alert("Privileged", rights);
    assertEquals(about(all, "container.name", ...WHAT), [rights, repository, "1", true]);
    assert(/\/etc:\/host\/etc:[^,]*:false/.test(`${all.output_fields["container.mounts"]}`));
    await saker.alert("Host's etc", rights);
    // Alerts of one container come in order: what has not come before these does not come.
    const wrong = saker.alerts().filter(({ rule, output_fields: fields }) =>
      rule === "Not from here" || (rule === "Privileged" && `${fields["container.name"]}` === short)
    );
    assertEquals(wrong.map(({ output }) => output), []);
  });
}

Deno.test("a container of Docker is told of with name, image, labels, rights and mounts", (t) =>
  commandLine(t, "docker", IMAGE.split(":")[0]!));

Deno.test("a container of Podman is told of with name, image, labels, rights and mounts", (t) =>
  commandLine(t, "podman", IMAGE.split(":")[0]!));

Deno.test("a container of containerd is told of with image, labels and rights", async (t) => {
  await withRuntime(t, "containerd", async (containerd, place) => {
    const sockets = { containerd: [containerd.socket] };
    await using saker = await watch(place, sockets, undefined, PATIENT);
    const images = (await containerd.must("images", "ls", "-q")).split("\n");
    const image = images.find((name) => name.endsWith(IMAGE))!;
    const mark = place.mark("rights");
    await containerd.must(
      ...["run", "--rm", "--privileged", "--label", "team=red"],
      ...["--mount", "type=bind,src=/etc,dst=/host/etc,options=rbind:ro"],
      ...[image, mark, "sh", "-c", "true", mark],
    );
    const alert = await saker.alert("Privileged", mark);
    assertEquals(about(alert, ...WHAT), [image.slice(0, image.lastIndexOf(":")), "1", true]);
    assertEquals(about(alert, "container.label[team]", "container.type"), ["red", "containerd"]);
    assertEquals(about(alert, "container.full_id"), [mark]);
    await saker.alert("Host's etc", mark);
    const short = place.mark("short");
    await containerd.must("run", "--rm", image, short, "sh", "-c", "true", short);
    const other = await saker.alert("In a container", short);
    // Both ids begin alike: by Falco's twelve characters they would be one.
    assertEquals(about(other, "container.full_id", "container.privileged"), [short, false]);
  });
});

Deno.test("a container of a pod is told of with the pod's name, space and labels", async (t) => {
  const missing = noGrpcClient();
  if (missing !== undefined) {
    await t.step({ name: `skipped: ${missing}`, ignore: true, fn() {} });
    return;
  }
  await withRuntime(t, "containerd", async (containerd, place) => {
    const sockets = { cri: [containerd.socket], containerd: [containerd.socket] };
    await using saker = await watch(place, sockets, undefined, PATIENT);
    const mark = place.mark("pod");
    await using cri = new CriClient(containerd.socket);
    const { sandbox, containers } = await cri.run({
      pod: {
        ...{ name: "saker-pod-1", uid: "uid-1", namespace: "saker-space" },
        labels: { app: "box" },
      },
      containers: [{
        ...{ name: "inner", image: IMAGE, command: ["sh", "-c", "true", mark] },
        mounts: { "/etc": "/host/etc" },
      }],
    });
    const alert = await saker.alert("In pod", mark);
    assertEquals(
      about(alert, "k8s.pod.name", "k8s.ns.name", "k8s.pod.uid", "container.name"),
      ["saker-pod-1", "saker-space", "uid-1", "inner"],
    );
    assertEquals(about(alert, "container.full_id"), [containers[0]]);
    assertEquals(about(alert, "k8s.pod.labels"), ["app:box"]);
    assert(sandbox !== containers[0]);
    await saker.alert("Host's etc", mark);
  });
});

Deno.test("a runtime that hangs, and one that comes later, hold no alert for long", async (t) => {
  await withRuntime(t, "docker", async (docker, place) => {
    const [hung, later] = [place.file("hung.sock"), place.file("later.sock")];
    using listener = Deno.listen({ transport: "unix", path: hung });
    const taken: Deno.Conn[] = [];
    const taking = (async () => {
      for await (const connection of listener) taken.push(connection);
    })();
    await using saker = await watch(place, { podman: [hung], docker: [later] }, []);
    const start = (mark: string) =>
      docker.must("run", "--rm", "--network=none", IMAGE, "sh", "-c", "true", mark);
    const before = place.mark("before");
    await start(before);
    const untold = await saker.alert("In a container", before);
    assertEquals((untold as { container_metadata?: string }).container_metadata, "missing");
    assertEquals(about(untold, "container.name"), [null]);
    await Deno.symlink(docker.socket, later);
    await untilUp(saker, "docker");
    const after = place.mark("after");
    await start(after);
    const told = await saker.alert("In a container", after);
    assertEquals((told as { container_metadata?: string }).container_metadata, undefined);
    assertEquals(about(told, "container.image.tag"), ["1"]);
    listener.close();
    for (const connection of taken) connection.close();
    await taking.catch(() => {});
  });
});
