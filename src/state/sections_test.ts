// What belongs to one capture, or to a call that has not returned, is neither lost nor carried on.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { BlockBuffer } from "../events/scap/block_buffer.ts";
import { putInterfaces, putSection, putUsers } from "../events/scap/state_blocks.ts";
import { nulls, Scene } from "./scene.ts";
import { Entries } from "./tables/entries.ts";
import { Interfaces } from "./tables/interfaces.ts";
import { Event } from "../events/event.ts";
import { eventBytes } from "../events/event_fixture.ts";

const ALICE = { uid: 1000, gid: 1000, name: "alice", homedir: "/h", shell: "/s" };
const IP = Uint8Array.of(10, 9, 8, 7);

function load(scene: Scene, blocks: BlockBuffer): void {
  const { bytes } = blocks;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 12 <= bytes.length;) {
    const length = view.getUint32(at + 4, true);
    scene.machine.load(view.getUint32(at, true), bytes, at + 8, at + length - 4);
    at += length;
  }
}

function section(): BlockBuffer {
  const out = new BlockBuffer(64);
  putSection(out);
  return out;
}

Deno.test("another section of a capture knows nothing of the one before", () => {
  const scene = new Scene();
  const blocks = new BlockBuffer(1 << 16);
  putUsers(blocks, [ALICE], [{ gid: 7, name: "g" }]);
  putInterfaces(blocks, [
    { name: "eth0", address: IP, netmask: IP, broadcast: IP, linkspeed: 0n },
  ]);
  load(scene, blocks);
  scene.event("CONTAINER_JSON_2_E", -1, {
    json: JSON.stringify({ container: { id: "c0ffee112233", type: 0, name: "web" } }),
  });
  scene.exec(5, "sh");
  const { machine } = scene;
  strictEqual(machine.user("", 1000, 0)?.name, "alice");
  ok(machine.isLocal(IP) && machine.container("c0ffee112233") !== undefined);

  load(scene, section());
  deepStrictEqual(
    [
      machine.user("", 1000, 0),
      machine.group("", 7, 0),
      machine.container("c0ffee112233"),
      machine.isLocal(IP),
      machine.threads.size,
    ],
    [undefined, undefined, undefined, false, 0],
  );
});

Deno.test("a section forgets users even where no thread was told of", () => {
  const scene = new Scene();
  const blocks = new BlockBuffer(1 << 16);
  putUsers(blocks, [ALICE], []);
  load(scene, blocks);
  load(scene, section());
  strictEqual(scene.machine.user("", 1000, 0), undefined);
});

Deno.test("an execveat's path is held until the call returns, whatever is swept meanwhile", () => {
  const scene = new Scene({ stringBytesMax: 20_000 });
  scene.exec(5, "sh");
  scene.event("SYSCALL_EXECVEAT_E", 5, { dirfd: -100, pathname: "/usr/bin/true-path", flags: 0 });
  for (let number = 0; number < 4000; number++) scene.open(7, -2, `/tmp/other/${number}`);
  ok(scene.machine.stats().stringSweeps > 0, "strings were swept");
  // As an old capture has it, without the path that the kernel executed.
  scene.event("SYSCALL_EXECVE_19_X", 5, {
    ...{ res: 0, exe: "x", args: nulls(), tid: 5, pid: 5, ptid: 1, cwd: "", fdlimit: 1024 },
    ...{ pgft_maj: 0, pgft_min: 0, vm_size: 1, vm_rss: 1, vm_swap: 0, comm: "x" },
    ...{ cgroups: nulls("cpu=/"), env: nulls() },
  });
  strictEqual(scene.text(scene.thread(5).exepath), "/usr/bin/true-path");
});

Deno.test("entries and interfaces beyond their bounds are counted", () => {
  const entries = new Entries();
  const event = new Event();
  for (let tid = 1; tid <= 65_538; tid++) {
    const bytes = eventBytes({ id: "SOCKET_CONNECT_E", tid, time: 1n, params: { fd: 3 } });
    event.bind(bytes);
    ok(event.moveTo(0, bytes.length));
    entries.keep(event, 0);
  }
  strictEqual(entries.dropped, 2);
  const interfaces = new Interfaces();
  const one = { name: "e", address: IP, netmask: IP, broadcast: IP, linkspeed: 0n };
  for (let count = 0; count < 16_387; count++) interfaces.add(one);
  strictEqual(interfaces.refused, 3);
});
