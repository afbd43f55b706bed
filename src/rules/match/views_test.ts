// Rules under the two views of an event: what the caller said and what the kernel did.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import type { Value } from "../../fields/row/field.ts";
import type { Context } from "../../state/contract/context.ts";
import { otherViews, View } from "../../state/contract/views.ts";
import { MISSING } from "../../state/tables/strings.ts";
import { LiveScene } from "../../state/views_fixture.ts";
import { Chance, conditionByChance } from "../check/condition_fixture.ts";
import { loadTexts, ruleText } from "../load_fixture.ts";
import type { RuleSet } from "../rule_set.ts";
import { wantedCodes } from "./compile.ts";
import { interpret } from "./interpret.ts";

const PID = 7;
const OUTPUT = "%fd.name raw=%fd.nameraw %proc.name";

function setOf(rules: string, matching: "first" | "all" = "all"): RuleSet {
  const { ruleSet, results } = loadTexts([rules], { matching });
  deepStrictEqual(results.flatMap(({ errors }) => errors), []);
  return ruleSet!;
}

function opens(name: string, condition: string, output = OUTPUT): string {
  return ruleText(name, `evt.type = openat and ${condition}`, { output: `'${output}'` });
}

function matches(set: RuleSet, context: Context): string[] {
  const matched = new Int32Array(set.rules.length);
  const count = set.match(context, matched);
  strictEqual(context.view, View.Kernel, "the context is put back");
  return [...matched.subarray(0, count)].map((index) => set.rules[index]!.name);
}

/** What the only rule of a text renders of the event; it must match. */
function rendered(rules: string, context: Context) {
  const set = setOf(rules);
  deepStrictEqual(matches(set, context), [set.rules[0]!.name]);
  const { message, fields } = set.rules[0]!.render(context);
  strictEqual(context.view, View.Kernel);
  return { message, fields: Object.fromEntries(fields) as Record<string, Value> };
}

function scene(paths: "both" | "kernel" | "caller" = "both"): LiveScene {
  const made = new LiveScene({ paths });
  made.executed(PID, "/usr/bin/cat", "/usr/bin/cat");
  return made;
}

/** An open of a link to a file, by default /etc/shadow. */
function linked(said = "/tmp/link", kernel = "/etc/shadow"): Context {
  return scene().opened(PID, 3, said, kernel);
}

Deno.test("a rule matches where its whole condition holds under one view", () => {
  const names = (condition: string, context = linked()) =>
    matches(setOf(opens("r", condition)), context);
  deepStrictEqual(names("fd.name = /etc/shadow"), ["r"]);
  deepStrictEqual(names("fd.name = /tmp/link"), ["r"]);
  deepStrictEqual(names("fd.name = /etc/shadow and fd.name = /tmp/link"), []);
  deepStrictEqual(names("fd.directory = /tmp and fd.filename = shadow"), []);
  deepStrictEqual(names("fd.directory = /etc and fd.filename = shadow"), ["r"]);
  deepStrictEqual(names("fd.nameraw = /tmp/link and fd.name = /etc/shadow"), ["r"]);
  const own = linked("/proc/self/fd/4");
  deepStrictEqual(names("fd.name startswith /proc/self/fd/", own), ["r"]);
});

Deno.test("a link hides nothing, and an exception's prefix under one view opens no hole", () => {
  const rule = opens("r", "fd.name startswith /etc/ and not fd.name startswith /etc/allowed/");
  const names = (said: string, kernel: string) => matches(setOf(rule), linked(said, kernel));
  deepStrictEqual(names("/etc/allowed/link", "/etc/shadow"), ["r"], "the exception's prefix");
  deepStrictEqual(names("/etc/shadow", "/etc/allowed/shadow"), ["r"], "a link into it");
  deepStrictEqual(names("/etc/allowed/link", "/etc/allowed/file"), []);
  deepStrictEqual(names("/etc/allowed/link", "/srv/file"), []);
  const excepted = opens("r", "fd.name startswith /etc/") +
    "  exceptions:\n    - {name: e, fields: [fd.name], comps: [startswith], " +
    "values: [[/etc/allowed/]]}\n";
  deepStrictEqual(matches(setOf(excepted), linked("/etc/allowed/link", "/etc/shadow")), ["r"]);
});

Deno.test("a negation counts within its view alone", () => {
  const rule = opens("r", "not fd.name startswith /etc/");
  deepStrictEqual(matches(setOf(rule), linked("/tmp/link", "/etc/shadow")), ["r"]);
  deepStrictEqual(matches(setOf(rule), linked("/etc/link", "/srv/x")), ["r"]);
  deepStrictEqual(matches(setOf(rule), linked("/etc/link", "/etc/shadow")), []);
});

Deno.test("a rule that matches under both views alerts once, as the kernel has it", () => {
  const { message, fields } = rendered(opens("r", "fd.name exists"), linked());
  strictEqual(message, "/etc/shadow raw=/tmp/link sh");
  deepStrictEqual(fields, {
    "fd.name": "/etc/shadow",
    "fd.nameraw": "/tmp/link",
    "proc.name": "sh",
    "evt.view": "kernel",
    "fd.name.other": "/tmp/link",
  });
});

Deno.test("an output shows the view that matched, and the other one in saker's own field", () => {
  const { message, fields } = rendered(opens("r", "fd.name startswith /tmp/"), linked());
  strictEqual(message, "/tmp/link raw=/tmp/link sh");
  strictEqual(fields["evt.view"], "caller");
  strictEqual(fields["fd.name.other"], "/etc/shadow");
  const asked = opens("r", "fd.name startswith /tmp/", "%evt.view %fd.name.other");
  strictEqual(rendered(asked, linked()).message, "caller /etc/shadow");
  const unasked = rendered(opens("r", "proc.name = sh", "%proc.name"), linked());
  deepStrictEqual(unasked.fields, { "proc.name": "sh" }, "no path is named, none is told");
});

Deno.test("an event whose paths are equal has one view, and nothing is told of another", () => {
  const context = linked("/etc/./shadow", "/etc/shadow");
  const { fields } = rendered(opens("r", "fd.name = /etc/shadow"), context);
  deepStrictEqual(Object.keys(fields), ["fd.name", "fd.nameraw", "proc.name"]);
  deepStrictEqual(
    Object.keys(rendered(opens("r", "fd.name exists", "%evt.view"), context).fields),
    ["evt.view"],
  );
});

Deno.test("all rules match in order, each once; of first the one that is first in any view", () => {
  const rules = opens("a", "fd.name = /other") + opens("b", "fd.name startswith /tmp/") +
    opens("c", "fd.name = /etc/shadow") + opens("d", "proc.name = sh") +
    opens("e", "fd.name = /tmp/link");
  deepStrictEqual(matches(setOf(rules), linked()), ["b", "c", "d", "e"]);
  const first = setOf(rules, "first");
  const context = linked();
  deepStrictEqual(matches(first, context), ["b"]);
  strictEqual(first.rules[1]!.render(context).message.split(" ")[0], "/tmp/link");
  const reversed = opens("c", "fd.name = /etc/shadow") + opens("b", "fd.name startswith /tmp/");
  deepStrictEqual(matches(setOf(reversed, "first"), linked()), ["c"]);
});

Deno.test("what is known of a name or a thread under one view does not leak into another", () => {
  const live = scene();
  const set = setOf(
    opens("shadow", "fd.name = /etc/shadow") + opens("link", "fd.name = /tmp/link") +
      opens("program", "proc.exepath = /bin/link") +
      ruleText("executed", "evt.type = execve and proc.exepath = /bin/link") +
      ruleText("really", "evt.type = execve and proc.exepath = /usr/bin/real"),
  );
  for (let round = 0; round < 3; round++) {
    deepStrictEqual(matches(set, live.executed(PID, "/bin/link", "/usr/bin/real")), [
      "executed",
      "really",
    ]);
    deepStrictEqual(matches(set, live.opened(PID, 3, "/tmp/link", "/etc/shadow")), [
      "shadow",
      "link",
    ]);
    deepStrictEqual(matches(set, live.opened(PID, 4, "/etc/shadow", "/etc/shadow")), ["shadow"]);
    deepStrictEqual(matches(set, live.opened(PID, 5, "/tmp/link", "/tmp/link")), ["link"]);
    deepStrictEqual(matches(set, live.executed(PID, "/usr/bin/real", "/usr/bin/real")), [
      "really",
    ]);
  }
});

Deno.test("an executed file has both names, and Falco's combination of them", () => {
  const live = scene();
  live.wentTo(PID, "/srv/link", "/srv/real");
  const names = (condition: string) =>
    matches(
      setOf(ruleText("r", `evt.type = execve and ${condition}`)),
      live.executed(PID, "./run", "/opt/program"),
    );
  deepStrictEqual(names("proc.exepath = /opt/program"), ["r"]);
  deepStrictEqual(names("proc.exepath = /srv/link/run"), ["r"]);
  deepStrictEqual(names("proc.exepath = /srv/real/run"), [], "nobody said or did this");
  deepStrictEqual(names("proc.exepath = /opt/program and proc.cwd = /srv/link/"), ["r"], "Falco's");
  deepStrictEqual(names("proc.exepath = /opt/program and proc.cwd = /srv/real/"), ["r"]);
  deepStrictEqual(names("proc.exepath = /srv/link/run and proc.cwd = /srv/real/"), []);
  const rule = ruleText("r", "evt.type = execve and proc.exepath startswith /srv", {
    output: "'%proc.exepath in %proc.cwd'",
  });
  const { message, fields } = rendered(rule, live.executed(PID, "./run", "/opt/program"));
  strictEqual(message, "/srv/link/run in /srv/link/");
  strictEqual(fields["proc.exepath.other"], "/opt/program");
  strictEqual(fields["proc.cwd.other"], "/srv/real/");
});

Deno.test("an executed file has the name that the host has for it, while it is executed", () => {
  const live = scene();
  const rule = ruleText("r", "proc.exepath = /jail/program", {
    output: "'%proc.exepath %evt.view %proc.exepath.other'",
  });
  const ran = live.executed(PID, "/program", "/program");
  strictEqual(ran.differs, 0);
  ran.setFurtherPaths(ran.machine.strings.internText("/jail/program"), MISSING, MISSING);
  strictEqual(rendered(rule, ran).message, "/jail/program host /program");
  deepStrictEqual(matches(setOf(ruleText("r", "proc.exepath = /program")), ran), ["r"]);
  // What it opens in its root tells nothing of its program.
  const opened = live.opened(PID, 3, "/file", "/file");
  opened.setFurtherPaths(opened.machine.strings.internText("/jail/program"), MISSING, MISSING);
  deepStrictEqual(matches(setOf(rule), opened), []);
});

Deno.test("engine.paths chooses one view, or both", () => {
  const rules = opens("kernel", "fd.name = /etc/shadow") + opens("caller", "fd.name = /tmp/link");
  const names = (paths: "both" | "kernel" | "caller") =>
    matches(setOf(rules), scene(paths).opened(PID, 3, "/tmp/link", "/etc/shadow"));
  deepStrictEqual(names("both"), ["kernel", "caller"]);
  deepStrictEqual(names("kernel"), ["kernel"]);
  deepStrictEqual(names("caller"), ["caller"]);
});

Deno.test("where the kernel's path is unknown there is the caller's view alone", () => {
  const context = linked("/tmp/link", "");
  deepStrictEqual(matches(setOf(opens("r", "fd.name = /tmp/link")), context), ["r"]);
  const { fields } = rendered(opens("r", "fd.name = /tmp/link"), context);
  strictEqual("fd.name.other" in fields, false);
});

Deno.test("an event of Falco's captures has one view", () => {
  const live = scene();
  live.wentTo(PID, "/srv/link", "/srv/real");
  const context = live.open(PID, 3, "/tmp/../etc/shadow");
  strictEqual(context.differs, 0);
  deepStrictEqual(matches(setOf(opens("r", "fd.name = /etc/shadow")), context), ["r"]);
});

Deno.test("compiled rules say under all views what the interpreter says under each", () => {
  const chance = new Chance(11);
  const paths = ["/etc/shadow", "/etc/passwd", "/tmp/a/b", "/bin/sh", "sh"];
  let differing = 0;
  let fired = 0;
  for (let round = 0; round < 20; round++) {
    const text = Array.from(
      { length: 12 },
      (_, index) =>
        ruleText(`r${index}`, `evt.type in (openat, execve) and ${conditionByChance(chance, 3)}`),
    ).join("");
    const loaded = loadTexts([text], { matching: "all" });
    if (loaded.ruleSet === undefined) continue;
    const set = loaded.ruleSet;
    const live = scene();
    for (let event = 0; event < 60; event++) {
      const [said, kernel] = [chance.of(paths), chance.of(paths.slice(0, 4))];
      const context = chance.below(3) === 0
        ? live.executed(PID, said, kernel)
        : chance.below(4) === 0
        ? live.wentTo(PID, said, kernel)
        : live.opened(PID, 3, said, kernel);
      const views = [View.Kernel, ...otherViews(context.differs)];
      if (views.length > 1) differing++;
      const expected = loaded.enabled.filter((rule) =>
        wantedCodes(rule, rule.source).includes(context.event.code) &&
        views.some((view) =>
          context.under(view, () => interpret(rule.node, (bound) => bound.extract(context)))
        )
      ).map(({ name }) => name);
      deepStrictEqual(matches(set, context), expected, text);
      fired += expected.length;
    }
  }
  ok(differing > 200 && fired > 200, `${differing} events of two views, ${fired} matches`);
});
