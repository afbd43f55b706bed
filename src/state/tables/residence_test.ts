// Which container a thread is in, on a live machine: events with what the kernel says of where
// their thread lives.
import { strictEqual } from "node:assert";
import type { MachineState } from "../create_machine.ts";
import { nulls, Scene } from "../scene.ts";
import { Lives } from "./residence.ts";

const ID = "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e";
const SHORT = ID.slice(0, 12);
const OWN_GROUP = "/name/d488de3a6beb0382c34d7ce9ad91e610";

const HOST = Lives.Known | Lives.HostPids | Lives.HostMounts | Lives.HostRoot;
const CONTAINER = Lives.Known;
/** A service of the host with a mount namespace of its own. */
const SERVICE = HOST & ~Lives.HostMounts;
/** A container with the host's pids. */
const HOST_PID = Lives.Known | Lives.HostPids;

function own(marks: number, mounts: number): (string | Uint8Array)[] {
  const place = new Uint8Array(new Uint32Array([marks, 7, mounts]).buffer);
  return ["", place, "", new Uint8Array(8), new Uint8Array(1)].map((part) =>
    part === "" ? new Uint8Array(0) : part
  );
}

/** A machine with nobody else to ask. */
function live(): Scene {
  return new Scene({ lookUp: () => new Uint8Array(0) });
}

function exec(scene: Scene, tid: number, path: string, marks: number, mounts = 1): string {
  scene.exec(tid, "sh", { cgroups: nulls(`cpu=${path}`) }, own(marks, mounts));
  return containerOf(scene, tid);
}

/** A program of the host, started by another, in the host's own cgroup. */
function atHome(scene: Scene): void {
  exec(scene, 4, OWN_GROUP, HOST);
  scene.born(5, 5, 4, 0, { cgroups: nulls(`cpu=${OWN_GROUP}`) }, own(HOST, 1));
  exec(scene, 5, OWN_GROUP, HOST);
}

function containerOf(scene: Scene, tid: number): string {
  return scene.text(scene.thread(tid).containerId) ?? "unknown";
}

Deno.test("a process that lives on the host is the host's, whatever its cgroup looks like", () => {
  const scene = live();
  strictEqual(exec(scene, 10, OWN_GROUP, HOST), "");
  strictEqual(exec(scene, 11, `/name/${ID}`, HOST), "");
  strictEqual(exec(scene, 12, `/docker/${ID}`, HOST), "");
  strictEqual(exec(scene, 13, `/user.slice/libpod-${ID}.scope`, HOST), "");
  strictEqual(exec(scene, 14, OWN_GROUP, SERVICE, 2), "");
});

Deno.test("a process that lives apart in a runtime's cgroup is its container's", () => {
  const scene = live();
  strictEqual(exec(scene, 10, `/docker/${ID}`, CONTAINER, 2), SHORT);
  strictEqual(exec(scene, 11, `/system.slice/docker-${ID}.scope`, HOST_PID, 3), SHORT);
  strictEqual(exec(scene, 12, "/default/by-hand", CONTAINER, 4), "by-hand");
  strictEqual(exec(scene, 13, `/docker/${ID}/system.slice/cron.service`, CONTAINER, 5), SHORT);
});

Deno.test("a runtime's helper that executes itself in a new cgroup makes it no host's", () => {
  const scene = live();
  exec(scene, 9, OWN_GROUP, HOST);
  scene.born(10, 10, 9, 0, { cgroups: nulls(`cpu=${OWN_GROUP}`) }, own(HOST, 1));
  strictEqual(exec(scene, 10, "/default/by-hand", HOST), "");
  strictEqual(exec(scene, 10, "/default/by-hand", CONTAINER, 2), "by-hand");
});

Deno.test("a sandbox in the host's own cgroup is the host's", () => {
  const scene = live();
  atHome(scene);
  strictEqual(exec(scene, 11, OWN_GROUP, CONTAINER, 2), "");
  strictEqual(exec(scene, 12, "/user.slice/app-browser-1.scope", CONTAINER, 3), "");
});

Deno.test("sessions, users' units and their own cgroups of digits are the host's", () => {
  const scene = live();
  const user = "/user.slice/user-1000.slice";
  const service = `${user}/user@1000.service`;
  const digits = ID.slice(0, 32);
  const paths = [
    `${user}/session-3.scope`,
    `${service}/init.scope`,
    `${service}/app.slice/app-${digits}.scope`,
    `${service}/app.slice/app-${ID}.scope`,
    `${service}/app.slice/${ID}.scope`,
    `/system.slice/run-r${digits}.scope`,
    `${service}/app.slice/run-u7.service/${digits}`,
    `${service}/app.slice/run-u7.service/${ID}`,
  ];
  paths.forEach((path, at) => {
    strictEqual(exec(scene, 20 + at, path, HOST), "", path);
    // A unit with PrivateTmp, ProtectSystem, DynamicUser.
    strictEqual(exec(scene, 40 + at, path, SERVICE, 2), "", path);
  });
  // Another root directory (RootDirectory=) or other process ids (PrivatePIDs=) make a unit none.
  const unit = "/system.slice/run-u8.service";
  strictEqual(exec(scene, 60, unit, Lives.Known | Lives.HostPids, 3), "");
  strictEqual(exec(scene, 61, unit, Lives.Known | Lives.HostRoot, 4), "");
});

Deno.test("a process that moves itself to the host's cgroup stays in its container", () => {
  const scene = live();
  atHome(scene);
  exec(scene, 10, `/docker/${ID}`, CONTAINER, 2);
  strictEqual(exec(scene, 10, "/", CONTAINER, 2), SHORT);
  strictEqual(exec(scene, 10, OWN_GROUP, CONTAINER, 2), SHORT);
  scene.born(11, 11, 10, 0, { cgroups: nulls("cpu=/") }, own(CONTAINER, 2));
  strictEqual(containerOf(scene, 11), SHORT);
});

Deno.test("a process that enters the host's namespaces is of its cgroup's container", () => {
  const scene = live();
  exec(scene, 10, `/docker/${ID}`, CONTAINER, 2);
  strictEqual(exec(scene, 11, `/docker/${ID}`, HOST), SHORT);
  strictEqual(exec(scene, 11, "/", HOST), "");
});

Deno.test("setns and unshare move a process without another program", () => {
  const scene = live();
  exec(scene, 10, "/default/by-hand", CONTAINER, 2);
  exec(scene, 11, "/", CONTAINER, 2);
  strictEqual(containerOf(scene, 11), "");
  exec(scene, 12, "/", HOST);
  const setns = { res: 0, fd: 3, nstype: 0 };
  scene.event("SYSCALL_SETNS_X", 12, setns, own(HOST_PID, 2));
  strictEqual(containerOf(scene, 12), "");
  scene.event("SYSCALL_UNSHARE_X", 10, { res: 0, flags: 0 }, own(CONTAINER, 9));
  strictEqual(containerOf(scene, 10), "by-hand");
});

Deno.test("Podman's monitor names the container that has no cgroup of its own", () => {
  const scene = live();
  atHome(scene);
  scene.exec(
    10,
    "conmon",
    { args: nulls("--api-version", "1", "-c", ID, "-u", ID), cgroups: nulls(`cpu=${OWN_GROUP}`) },
    own(HOST, 1),
  );
  scene.born(11, 11, 10, 0, { cgroups: nulls(`cpu=${OWN_GROUP}`) }, own(HOST, 1));
  strictEqual(containerOf(scene, 11), "");
  strictEqual(exec(scene, 11, OWN_GROUP, CONTAINER, 2), SHORT);
});

Deno.test("containers of an engine that is off are the host", () => {
  const off = ["lxc", "libvirt-lxc", "bpm"];
  const paths = ["/lxc.payload.web", "/x/web.libvirt-lxc", "/bpm-web"];
  for (const [at, path] of paths.entries()) {
    const [on, without] = [
      live(),
      new Scene({
        lookUp: () => new Uint8Array(0),
        containers: { off: [off[at]!] },
      }),
    ];
    strictEqual(exec(on, 10, path, CONTAINER, 2), "web");
    strictEqual(exec(without, 10, path, CONTAINER, 2), "");
    strictEqual(exec(without, 11, `/docker/${ID}`, CONTAINER, 3), SHORT);
  }
  const capture = new Scene({ containers: { off } });
  capture.exec(10, "sh", { cgroups: nulls("cpu=/lxc.payload.web") });
  strictEqual(containerOf(capture, 10), "");
});

Deno.test("where all processes are in one container, cgroups and namespaces say nothing", () => {
  const all = { id: "task-of-mine", fullId: "", type: "", info: { name: "mine" } };
  const scene = new Scene({ lookUp: () => new Uint8Array(0), containers: { off: [], all } });
  strictEqual(exec(scene, 10, "/", HOST), "task-of-mine");
  strictEqual(exec(scene, 11, `/docker/${ID}`, CONTAINER, 2), "task-of-mine");
  scene.born(12, 12, 10, 0, { cgroups: nulls("cpu=/") }, own(HOST, 1));
  const { machine } = scene;
  strictEqual(machine.containerOf(scene.thread(12))?.info?.["name"], "mine");
  (machine as MachineState).containers.clear();
  strictEqual(machine.containerOf(scene.thread(12))?.info?.["name"], "mine");
});

Deno.test("a capture is read by Falco's matchers", () => {
  const scene = new Scene();
  scene.exec(10, "sh", { cgroups: nulls(`cpu=${OWN_GROUP}`) });
  strictEqual(containerOf(scene, 10), "d488de3a6beb");
  scene.exec(11, "sh", { cgroups: nulls(`cpu=/docker/${ID}`) });
  strictEqual(containerOf(scene, 11), SHORT);
});

Deno.test("the ids of containers that are gone are let go", () => {
  const scene = live();
  exec(scene, 10, `/docker/${ID}`, CONTAINER, 2);
  const { threads } = scene.machine;
  const { containers } = scene.machine as MachineState;
  const held = scene.thread(10).containerId;
  for (let id = 1_000_000; id < 1_020_000; id++) containers.confirm(id, threads);
  strictEqual(containers.isConfirmed(held), true);
  strictEqual(containers.isConfirmed(1_000_000), false);
  strictEqual(containers.isConfirmed(1_019_999), true);
});
