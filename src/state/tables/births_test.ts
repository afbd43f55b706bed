// Who made whom, whatever the kernel calls the parent since: chains of processes that end, execute
// and are handed on; what is kept of the past and its bounds.
import { deepStrictEqual, strictEqual } from "node:assert";
import { OWN_LANE, OWN_PARAMS, OWN_PATH2, OWN_SEQUENCE } from "../../events/event.ts";
import type { ParamValue } from "../../events/event_fixture.ts";
import { IN_PIDNS, program, Scene, VFORK_FLAGS } from "../scene.ts";
import { CL_PARENT } from "./clone_flags.ts";
import { type Birth, UNCOUNTED } from "./thread.ts";

/** Our own parameters of a child's event: who made it, and how long ago. */
function maker(pid: number, ageMs = 0, atMs = 0): ParamValue[] {
  const given: ParamValue[] = Array.from({ length: OWN_PARAMS }, () => new Uint8Array(0));
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(pid), true);
  view.setBigUint64(8, 1_700_000_000_000_000_000n + BigInt(atMs - ageMs) * 1_000_000n, true);
  given[OWN_PATH2] = bytes;
  given[OWN_SEQUENCE] = new Uint8Array(8);
  given[OWN_LANE] = Uint8Array.of(0);
  return given;
}

/** As a probe of ours tells: the child's own event says who made it. */
function told(scene: Scene, child: number, ptid: number, by: number, flags = 0, ageMs = 0): void {
  scene.event(
    "SYSCALL_CLONE_20_X",
    child,
    {
      ...program("sh", child, ptid),
      res: 0,
      flags,
      ...{ tid: child, vtid: child, vpid: child },
    },
    maker(by, ageMs, scene.atMs),
  );
}

/** `name(pid)` of each ancestor; `?` or `+N` where some between are not known. */
function chain(scene: Scene, pid: number): string[] {
  const shown: string[] = [];
  let at: Birth | undefined = scene.thread(pid).birth;
  while (at !== undefined) {
    if (at.between !== 0) shown.push(at.between === UNCOUNTED ? "?" : `+${at.between}`);
    at = at.maker;
    if (at !== undefined) shown.push(`${scene.text((at.thread ?? at).comm)}(${at.pid})`);
  }
  return shown;
}

/** A server that has a shell for a child. */
function scene(): Scene {
  const made = new Scene();
  made.exec(10, "nginx");
  made.forked(10, 20);
  told(made, 20, 10, 10);
  made.exec(20, "sh");
  return made;
}

Deno.test("a process keeps its ancestors when the one between ends", () => {
  const made = scene();
  made.forked(20, 30);
  told(made, 30, 20, 20);
  made.forked(30, 40);
  made.exit(30, 1);
  made.pass();
  told(made, 40, 1, 30);
  made.exec(40, "curl");
  deepStrictEqual(chain(made, 40), ["sh(30)", "sh(20)", "nginx(10)"]);
  strictEqual(made.thread(40).ptid, 0, "the kernel's parent is another");
  made.exit(20, 1);
  made.exit(10, 1);
  made.pass();
  deepStrictEqual(chain(made, 40), ["sh(30)", "sh(20)", "nginx(10)"]);
});

Deno.test("a child is told of after its maker's end, where its number is another inside", () => {
  const made = scene();
  made.forked(20, 3, IN_PIDNS);
  made.exit(20, 1);
  made.pass();
  told(made, 30, 10, 20, IN_PIDNS);
  deepStrictEqual(chain(made, 30), ["sh(20)", "nginx(10)"]);
});

Deno.test("CLONE_PARENT makes a sibling for the kernel, a child by birth", () => {
  const made = scene();
  made.forked(20, 30, CL_PARENT);
  told(made, 30, 10, 20, CL_PARENT);
  deepStrictEqual(chain(made, 30), ["sh(20)", "nginx(10)"]);
  strictEqual(made.thread(30).ptid, 10);
});

Deno.test("of CLONE_PARENT without a word of the probe the maker is unknown, never a guess", () => {
  const made = scene();
  made.born(30, 30, 10, CL_PARENT);
  deepStrictEqual(chain(made, 30), []);
});

Deno.test("what a maker executes later is none of its earlier children's ancestors", () => {
  const made = scene();
  made.forked(20, 30);
  made.exec(20, "innocent");
  deepStrictEqual(chain(made, 30), ["sh(20)", "nginx(10)"]);
  made.forked(20, 31);
  deepStrictEqual(chain(made, 31), ["innocent(20)", "nginx(10)"]);
});

Deno.test("a child of vfork has its maker", () => {
  const made = scene();
  told(made, 30, 20, 20, VFORK_FLAGS);
  made.exec(30, "ls");
  made.forked(20, 30, VFORK_FLAGS);
  deepStrictEqual(chain(made, 30), ["sh(20)", "nginx(10)"]);
});

Deno.test("a number that was used again is not taken for the maker", () => {
  const made = scene();
  made.exit(20, 1);
  made.pass();
  made.atMs += 10_000;
  made.forked(10, 20);
  told(made, 20, 10, 10);
  made.exec(20, "other");
  told(made, 30, 1, 20, 0, 5000);
  deepStrictEqual(chain(made, 30), ["sh(20)", "nginx(10)"]);
});

Deno.test("who was there before has the parent of the list, orphans an ancestor somewhere", () => {
  const first = new Scene();
  first.exec(1, "init");
  first.exec(10, "sshd");
  first.exec(20, "bash");
  first.thread(10).ptid = 1;
  first.thread(20).ptid = 10;
  // Without what only our own captures have.
  for (const pid of [1, 10, 20]) first.thread(pid).birth = undefined;
  const second = new Scene();
  const blocks = first.machine.dump(0n);
  const view = new DataView(blocks.buffer, blocks.byteOffset, blocks.length);
  for (let at = 0; at < blocks.length; at += view.getUint32(at + 4, true)) {
    const end = at + view.getUint32(at + 4, true) - 4;
    second.machine.load(view.getUint32(at, true), blocks, at + 8, end);
  }
  second.pass(20);
  deepStrictEqual(chain(second, 20), ["sshd(10)", "?", "init(1)"]);
});

Deno.test("of a long run of ended ancestors the eldest and the youngest are kept", () => {
  const made = scene();
  for (let pid = 100; pid < 400; pid++) {
    const by = pid === 100 ? 20 : pid - 1;
    made.forked(by, pid);
    told(made, pid, by, by);
    made.exit(by, 1);
    made.pass();
  }
  const shown = chain(made, 399);
  strictEqual(shown.length < 40, true, `${shown.length}`);
  deepStrictEqual([shown[0], shown.at(-1)], ["sh(398)", "nginx(10)"]);
  deepStrictEqual(shown.filter((text) => text.startsWith("+")).length, 1);
  const gone = shown.map((text) => text[0] === "+" ? Number(text.slice(1)) : 1);
  strictEqual(gone.reduce((sum, count) => sum + count, 0), 301);
});

Deno.test("a storm of forks leaves nothing behind, and a wide one is bounded and counted", () => {
  const made = new Scene({ threadsMax: 100_000 });
  made.exec(10, "sh");
  const held = () => made.machine.stats().ancestorsHeld;
  const round = (first: number) => {
    for (let pid = first; pid < first + 5000; pid++) {
      made.forked(10, pid);
      made.exec(pid, "true");
      made.exit(pid);
    }
    made.pass();
    return held();
  };
  const before = round(1000);
  strictEqual(round(10_000), before, "those that ended lately alone are held");
  strictEqual(before <= 1024, true);
  // Each has a child that lives on.
  for (let pid = 100_000; pid < 120_000; pid++) {
    made.forked(10, pid);
    made.forked(pid, pid + 100_000);
    made.exit(pid, 10);
    made.pass();
  }
  strictEqual(held() <= (1 << 14) + 1024, true, `${held()}`);
  const { ancestorsForgotten } = made.machine.stats();
  strictEqual(ancestorsForgotten > 2000, true, `${ancestorsForgotten}`);
  // Those beyond lack the one between alone.
  deepStrictEqual(chain(made, 219_999), ["+1", "sh(10)"]);
});
