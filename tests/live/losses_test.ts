// Rings that overflow: what saker tells lost is what was made less what it saw, in its health, its
// metrics and its journal, which says when; alerts that follow say that something is missing. The
// test makes calls that nobody else makes, while saker stands still.
import { parseExposition } from "../../src/metrics/parse_exposition_fixture.ts";
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { standStill } from "../patience.ts";
import { eventually, Saker } from "./saker.ts";
import { isRoot, Place, python } from "./trigger.ts";
import { rulesOfWays } from "./ways.ts";

/** One event of each lane: calls that fail. */
const CALLS = ["signalfd", "pidfd_getfd"];
const TIMES = 20_000;
const SCRIPT = `import ctypes, sys
call = ctypes.CDLL(None).syscall
for _ in range(int(sys.argv[2])):
    call(282, -1, 0, 0)
    call(438, -1, -1, 0)
`;
const DROP = "Falco internal: syscall event drop";

interface Lost {
  readonly critical: number;
  readonly bulk: number;
  readonly by_event: Readonly<Record<string, number>>;
  readonly journal: {
    readonly left_off: number;
    readonly entries: readonly {
      readonly from: string;
      readonly until: string;
      readonly critical: number;
      readonly bulk: number;
      readonly by_event: Readonly<Record<string, number>>;
      readonly by_cpu: readonly { readonly critical: number; readonly bulk: number }[];
    }[];
  };
}

Deno.test({
  name: "what is told lost is what was made less what was seen, and when",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const rules = rulesOfWays(
      place,
      Object.fromEntries(CALLS.map((call) => [call, `evt.type = ${call}`])),
      "%evt.type",
    );
    const after = place.mark("after");
    await using saker = await Saker.start([place.mark("last"), after, DROP], {
      args: [
        ...["-r", rules, "-o", "engine.modern_ebpf.buf_size_preset=1"],
        ...["-o", "metrics.enabled=true", "-o", "webserver.prometheus_metrics_enabled=true"],
      ],
    });
    const ask = async (path: string) =>
      await (await fetch(`http://127.0.0.1:${saker.port}${path}`)).text();
    const lostNow = async () => (await saker.health())!.body.lost as unknown as Lost;
    const before = await lostNow();
    const begunMs = Date.now();
    const flood = async () => {
      await standStill(saker.pid);
      try {
        await python(place.mark("flood"), SCRIPT, [`${TIMES}`]);
      } finally {
        Deno.kill(saker.pid, "SIGCONT");
      }
    };
    await flood();
    // What comes last is told last; it also stands behind what was lost. While saker catches up,
    // these may be lost too.
    let made = TIMES;
    await eventually("saker to have caught up", async () => {
      made += 200;
      await python(place.mark("last"), SCRIPT, ["200"]);
      const told = new Set(saker.alertsWith(place.mark("last")).map(({ rule }) => rule));
      return CALLS.every((call) => told.has(call)) || undefined;
    });
    const seen = async () => {
      const { rules } = JSON.parse(await ask("/status"));
      const list = rules.list as { name: string; matches: number }[];
      return CALLS.map((call) => list.find(({ name }) => name === call)?.matches ?? 0);
    };
    const lost = async () => {
      const { by_event } = await lostNow();
      return CALLS.map((call) => by_event[call] ?? 0);
    };
    const sums = await eventually("all to be seen or told lost", async () => {
      const [came, went] = [await seen(), await lost()];
      return came.every((count, at) => count + went[at]! >= made) ? [came, went] : undefined;
    });
    const [came, went] = sums as [number[], number[]];
    assertEquals(came.map((count, at) => count + went[at]!), CALLS.map(() => made));
    assert(went.every((count) => count > 1_000), `${went}`);
    const sumOf = ({ journal: { entries } }: Lost, count: (entry: typeof entries[0]) => number) =>
      entries.reduce((sum, entry) => sum + count(entry), 0);
    const told = await eventually("the journal to have all", async () => {
      const now = await lostNow();
      const isAll = sumOf(now, ({ critical, bulk }) => critical + bulk) >= now.critical + now.bulk;
      return isAll ? now : undefined;
    });
    for (const [at, call] of CALLS.entries()) {
      assertEquals(sumOf(told, ({ by_event }) => by_event[call] ?? 0), went[at]);
    }
    assertEquals(
      sumOf(told, ({ by_cpu }) => by_cpu.reduce((sum, one) => sum + one.critical + one.bulk, 0)),
      told.critical + told.bulk,
    );
    assertEquals(told.journal.left_off, 0);
    const own = told.journal.entries.filter(({ by_event }) => CALLS.some((of) => by_event[of]));
    for (const { from, until } of own) {
      assert(Date.parse(until) >= begunMs && Date.parse(from) <= Date.now(), `${from} ${until}`);
      assert(Date.parse(from) <= Date.parse(until), `${from} ${until}`);
    }
    assert(before.critical + before.bulk <= told.critical + told.bulk);
    const families = parseExposition(await ask("/metrics"));
    const metric = (name: string) =>
      (families.get(name)?.samples ?? []).reduce((sum, { value }) => sum + value, 0);
    const then = await lostNow();
    for (const name of ["saker_lost_events_total", "saker_lost_events_by_cpu_total"]) {
      const value = metric(name);
      assert(value >= told.critical + told.bulk && value <= then.critical + then.bulk, name);
    }
    const { output_fields: drop } = await saker.alert(DROP, "n_drops");
    assert(Number(drop["n_drops"]) > 1_000, `${drop["n_drops"]}`);
    assertIncludes(String(drop["lost_by_event"]), "signalfd: ");
    // An alert that comes within seconds of a loss says so; a slow machine needs another loss.
    await eventually("an alert to be degraded", async () => {
      await python(after, SCRIPT, ["1"]);
      await saker.alert(CALLS[0]!, after);
      const told = saker.alertsWith(after) as unknown as { degraded: boolean }[];
      if (told.some(({ degraded }) => degraded)) return true;
      await flood();
      return undefined;
    });
  },
});
