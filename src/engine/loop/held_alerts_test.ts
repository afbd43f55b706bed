// Alerts of containers that are told of before, after and never: what was held shows and decides
// the same as if it had been known at once.
import { deepStrictEqual, strictEqual } from "node:assert";
import { Bench, CHILD, exec, nulList } from "../../fields/context_fixture.ts";
import { loadTexts, ruleText } from "../../rules/load_fixture.ts";
import type { RuleSet } from "../../rules/rule_set.ts";
import { Counter, Counters } from "../contract/counters.ts";
import type { Dossier, Moment } from "../contract/dossier.ts";
import { Dossiers } from "./dossiers.ts";
import { HeldAlerts, type ReleasedAlert } from "./held_alerts.ts";

const SETTINGS = { perSecond: 2, perRule: 2, msPerSecond: 1_000 };

const FULL = "abcdef012345".padEnd(64, "6");
/** Begins alike. */
const TWIN = "abcdef012345".padEnd(64, "7");

const OUTPUT = "%container.name %container.image.repository %proc.name %proc.cmdline";

function rulesOf(matching: "first" | "all", ...conditions: readonly string[]): RuleSet {
  const texts = conditions.map((condition, at) =>
    ruleText(`R${at}`, `evt.type=execve and ${condition}`, { output: OUTPUT })
  );
  return loadTexts([texts.join("")], { matching, live: true }).ruleSet!;
}

class Watched {
  readonly bench = new Bench();
  readonly counters = new Counters();
  readonly alerts: string[] = [];
  readonly dossiers: (Dossier | undefined)[] = [];
  readonly #rules: RuleSet;
  readonly #held: HeldAlerts;

  constructor(rules: RuleSet) {
    this.#rules = rules;
    this.bench.machine.awaited.enabled = true;
    const { machine } = this.bench;
    const out = (alert: ReleasedAlert) => {
      const untold = alert.isUntold ? " UNTOLD" : "";
      this.alerts.push(`${alert.rule.name}: ${alert.message}${untold}`);
      this.dossiers.push(alert.dossier);
    };
    const { counters } = this;
    const parts = { counters, clock: () => 0, stopwatch: () => 0 };
    this.#held = new HeldAlerts(machine, counters, out, new Dossiers(SETTINGS, parts));
  }

  run(program: string, id = FULL): void {
    this.runIn(program, `/docker/${id}`);
  }

  runIn(program: string, cgroup: string): void {
    const { params, ...event } = exec(CHILD, program, `/usr/bin/${program}`, ["-x"]);
    this.#apply({ ...event, params: { ...params, cgroups: nulList([`cpu=${cgroup}`]) } });
  }

  tell(more: Readonly<Record<string, unknown>> = {}, id = FULL): void {
    const container = {
      ...{ id: id.slice(0, 12), full_id: id, type: 0, name: "web", imagerepo: "nginx" },
      ...more,
    };
    this.#event("container", { container });
  }

  giveUp(): void {
    this.#event("container_unknown", { container: { id: FULL.slice(0, 12), full_id: FULL } });
  }

  #event(name: string, json: unknown): void {
    const data = new TextEncoder().encode(JSON.stringify(json));
    this.#apply({ id: "ASYNCEVENT_E", tid: -1, params: { plugin_id: 0, name, data } });
  }

  #apply(values: Parameters<Bench["apply"]>[0]): void {
    const { machine, context } = this.bench;
    this.bench.apply(values);
    if (machine.awaited.active !== 0 && this.#held.take(context, this.#rules)) return;
    const matched = new Int32Array(this.#rules.rules.length);
    const count = this.#rules.match(context, matched);
    for (const index of matched.subarray(0, count)) {
      const rule = this.#rules.rules[index]!;
      const untold = this.#held.isUntold(rule, context) ? " UNTOLD" : "";
      this.alerts.push(`${rule.name}: ${rule.render(context).message}${untold}`);
    }
  }

  get held(): number {
    return this.counters.get(Counter.AlertsHeld);
  }
}

/** The alerts of three executions of a container that is told of before them, or after. */
function both(rules: () => RuleSet, more: Readonly<Record<string, unknown>> = {}): string[] {
  const early = new Watched(rules());
  early.tell(more);
  for (const program of ["one", "two", "three"]) early.run(program);
  const late = new Watched(rules());
  for (const program of ["one", "two", "three"]) late.run(program);
  deepStrictEqual(late.alerts, []);
  late.tell(more);
  deepStrictEqual(late.alerts, early.alerts);
  strictEqual(late.held, 0);
  return late.alerts;
}

Deno.test("an alert that waited shows what its container is, and its process as it was", () => {
  deepStrictEqual(both(() => rulesOf("first", "container.id != host")), [
    "R0: web nginx one one -x",
    "R0: web nginx two two -x",
    "R0: web nginx three three -x",
  ]);
});

Deno.test("a condition on the container is decided when it is told", () => {
  const rules = () =>
    rulesOf("all", "container.privileged=true", "not container.image.repository in (nginx, x)");
  deepStrictEqual(both(rules, { privileged: true }).length, 3);
  deepStrictEqual(both(rules), []);
  deepStrictEqual(both(rules, { imagerepo: "evil" }).length, 3);
});

Deno.test("only the first rule that matches counts, whatever is decided late", () => {
  const rules = () =>
    rulesOf(
      "first",
      "container.name=web and proc.name=two",
      "proc.name in (one, two)",
      "proc.pid>0",
    );
  deepStrictEqual(both(rules).map((line) => line.slice(0, 2)), ["R1", "R0", "R2"]);
  deepStrictEqual(both(rules, { name: "x" }).map((line) => line.slice(0, 2)), ["R1", "R1", "R2"]);
});

Deno.test("a comparison of the container with the process knows the process of then", () => {
  const rules = () => rulesOf("all", "container.name=val(proc.name)", "proc.name=val(proc.name)");
  deepStrictEqual(both(rules, { name: "two" }).filter((line) => line.startsWith("R0")), [
    "R0: two nginx two two -x",
  ]);
});

Deno.test("an alert whose container nobody knows goes out in the end, and says so", () => {
  const watched = new Watched(rulesOf("all", "container.id != host", "container.privileged=true"));
  watched.run("one");
  strictEqual(watched.held, 1);
  watched.giveUp();
  watched.run("two");
  const na = "R0: <NA> <NA>";
  deepStrictEqual(watched.alerts, [`${na} one one -x UNTOLD`, `${na} two two -x UNTOLD`]);
  strictEqual(watched.counters.get(Counter.AlertsUntold), 2);
  // What is told later is there for the next.
  watched.tell();
  watched.run("three");
  strictEqual(watched.alerts.at(-1), "R0: web nginx three three -x");
});

Deno.test("more than are held of one container go out as they are", () => {
  const watched = new Watched(rulesOf("all", "container.id != host"));
  for (let at = 0; at < 600; at++) watched.run(`p${at}`);
  strictEqual(watched.alerts.length, 512);
  strictEqual(watched.alerts[0], "R0: <NA> <NA> p0 p0 -x UNTOLD");
  watched.tell();
  strictEqual(watched.alerts.length, 600);
  strictEqual(watched.alerts.at(-1), "R0: web nginx p599 p599 -x");
});

Deno.test("a container whose id begins as another's is told of by itself", () => {
  const watched = new Watched(rulesOf("all", "container.id != host"));
  watched.tell();
  watched.run("one");
  // No process goes from one container into another but by way of the host.
  watched.runIn("runtime", "/");
  watched.run("two", TWIN);
  watched.tell({ name: "twin" }, TWIN);
  watched.run("three", TWIN);
  watched.run("four");
  deepStrictEqual(watched.alerts.map((line) => line.split(" ")[1]), ["web", "twin", "twin", "web"]);
});

Deno.test("a dossier that waited has the process of then and the container of now", () => {
  const late = new Watched(
    rulesOf("first", "container.name=web and (proc.name=one or container.id=x)"),
  );
  for (const program of ["one", "one", "one"]) late.run(program);
  late.run("other");
  late.tell();
  strictEqual(late.alerts.length, 3);
  const [first, , third] = late.dossiers;
  deepStrictEqual(third, { none: "budget" });
  if (first === undefined || "none" in first) throw new Error("There is no dossier");
  const { record, moment } = first;
  const { fields, answers, values, processes } = JSON.parse(moment) as Moment;
  const field = (name: string) => fields[record.fieldNames.indexOf(name)];
  deepStrictEqual([field("proc.pid"), field("proc.exepath")], [CHILD, "/usr/bin/one"]);
  deepStrictEqual(field("container.id"), FULL.slice(0, 12));
  deepStrictEqual(record.parts.map(({ text }) => text), [
    undefined,
    "evt.type = execve",
    "container.name = web",
    undefined,
    "proc.name = one",
    "container.id = x",
  ]);
  strictEqual(answers, "111110");
  strictEqual(values[record.operands.indexOf("container.name")], '"web"');
  deepStrictEqual(processes!.map(({ name }) => name), ["one", "bash"]);
});
