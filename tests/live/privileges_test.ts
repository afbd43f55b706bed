// What a watch may still do once it has started, and that all goes on with it: rules that ask for
// other events, an output that is moved away, sums of programs.
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { eventually, Saker } from "./saker.ts";
import { isRoot, Place, python, triggersOf } from "./trigger.ts";

/** CAP_DAC_READ_SEARCH, CAP_NET_BIND_SERVICE, CAP_SYS_PTRACE. */
const KEPT = (1n << 2n) | (1n << 10n) | (1n << 19n);
const SETS = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];

function statusOf(thread: string): string | undefined {
  try {
    return Deno.readTextFileSync(`${thread}/status`);
  } catch {
    return undefined;
  }
}

/** Every set of every thread of a process. */
function sets(pid: number): bigint[] {
  return [...Deno.readDirSync(`/proc/${pid}/task`)].flatMap(({ name }) => {
    const status = statusOf(`/proc/${pid}/task/${name}`);
    // A thread of the runtime ended meanwhile.
    if (status === undefined) return [];
    return SETS.map((set) => BigInt(`0x${new RegExp(`^${set}:\\t(\\w+)$`, "m").exec(status)![1]}`));
  });
}

function rule(name: string, marker: string): unknown {
  return {
    rule: `${name} seen`,
    desc: name,
    condition: `evt.type=${name} and ${triggersOf(marker)}`,
    output: "%evt.type %proc.cmdline sum=%proc.hash.sha256",
    priority: "NOTICE",
  };
}

Deno.test({
  name: "a watch gives up what it needs no more, and goes on with other rules and moved outputs",
  ignore: !isRoot() || sets(Deno.pid).every((set) => set <= KEPT),
  async fn() {
    await using place = new Place();
    await Deno.mkdir(place.file("rules"));
    const rules = place.file("rules/rules.yaml");
    const alerts = place.file("alerts");
    await Deno.writeTextFile(rules, JSON.stringify([rule("mkdir", place.marker)]));
    const args = [
      ...["-r", rules, "-o", "engine.drop_privileges_after=1", "-o", "json_output=true"],
      ...["-o", `file_output={enabled: true, filename: ${alerts}}`],
    ];
    await using saker = await Saker.start([place.marker], { args });
    assert(sets(saker.pid).some((set) => (set >> 39n & 1n) === 1n), "it begins with CAP_BPF");
    await eventually(
      "every thread to have given up the rest",
      () => sets(saker.pid).every((set) => (set & ~KEPT) === 0n) || undefined,
      90_000,
    );
    await eventually("a line", () => saker.told.includes("were given up") || undefined);
    // Nothing that it would start has more.
    assertEquals(sets(saker.pid).filter((set) => set > KEPT), []);

    const make = "import os, sys; os.mkdir(sys.argv[2]); os.symlink('a', sys.argv[3])";
    await python(place.marker, make, [place.file("a"), place.file("l1")]);
    await saker.alert("mkdir seen", place.marker);
    // An event that nobody wanted before.
    const both = ["mkdir", "symlink", "symlinkat"].map((name) => rule(name, place.marker));
    await Deno.writeTextFile(rules, JSON.stringify(both));
    await Deno.rename(alerts, `${alerts}.1`);
    Deno.kill(saker.pid, "SIGUSR1");
    await eventually("the new rules", async () => {
      const health = await saker.health();
      return health?.body.rules === 3 || undefined;
    });
    await python(place.marker, make, [place.file("b"), place.file("l2")]);
    await saker.alert("symlink seen", place.marker);
    const written = await eventually("the alert in the new file", () => {
      const text = textOf(alerts);
      return text.includes("symlink seen") ? text : undefined;
    });
    assertIncludes(written, "mkdir seen");
    const { status, body } = (await saker.health())!;
    assertEquals([status, (body.programs as { refused: unknown[] }).refused], [200, []]);
    assert(!/^Warning: engine/m.test(saker.told), saker.told);
    await eventually("the sum of a program's file", async () => {
      await python(place.marker, make, [place.file(crypto.randomUUID()), place.file("l1x")])
        .catch(() => {});
      return saker.alerts().some(({ output }) => /sum=[0-9a-f]{64}$/.test(output)) || undefined;
    });
  },
});

function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
