// What is kept of the moment of an alert, asked of the built binary: a file whose name means harm,
// ancestors by birth, each part of the rule's condition, the capture around it.
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { eventually, Saker } from "./saker.ts";
import { isRoot, Place, run } from "./trigger.ts";

// deno-lint-ignore no-explicit-any -- What is asked for is JSON of many shapes.
type Json = any;

/** Markup, a line end, a mark that turns the direction of reading, and a byte that is no UTF-8. */
const HOSTILE = `<img src=x onerror="alert(1)">\n\u202e`;

function rulesText(marker: string): string {
  return `- macro: our_marker
  condition: (fd.name contains ${marker} and fd.name endswith "-end")

- rule: Marked read
  desc: A file of a test was read.
  condition: >
    evt.type in (open, openat, openat2) and evt.is_open_read=true and
    our_marker and not proc.name in (nobody, somebody)
  output: "read %fd.name"
  priority: WARNING
  tags: [test]
`;
}

async function asked(saker: Saker, path: string): Promise<{ text: string; json: Json }> {
  const response = await fetch(`http://127.0.0.1:${saker.port}${path}`);
  const text = await response.text();
  assertEquals(response.status, 200, `${path}: ${response.status}`);
  return { text, json: JSON.parse(text) };
}

/** The first held alert with the marker. */
function heldAlert(saker: Saker, marker: string): Promise<Json> {
  return eventually("an alert to be held", async () => {
    const { json } = await asked(saker, `/alerts/recent?rule=Marked+read&search=${marker}`);
    return json.alerts[0]?.alert;
  });
}

Deno.test({
  name: "a dossier tells of an alert's process, its makers, and why its rule fired",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const rules = place.file("rules.yaml");
    await Deno.writeTextFile(rules, rulesText(place.marker));
    const name = `${HOSTILE}-end`;
    await Deno.writeTextFile(place.file(name), "x");
    await using saker = await Saker.start([place.marker], { args: ["-r", rules] });
    // The one that reads outlives its parent, whom its maker's maker does not see end.
    const inner = '(read -r line < "$1") & exit 0';
    await run("/bin/sh", [
      "-c",
      'sh -c "$0" inner "$1"; wait',
      inner,
      place.file(name),
    ]);
    const { id, seq } = await heldAlert(saker, place.marker);
    const { text, json } = await asked(saker, `/alerts/${encodeURIComponent(id)}`);
    assertEquals(JSON.parse((await asked(saker, `/alerts/${seq}`)).text), json);
    const { alert, dossier } = json;
    assertEquals([alert.rule, alert.id], ["Marked read", id]);
    assertEquals(dossier.fields["fd.name"], place.file(name));
    assertEquals(dossier.fields["evt.type"], alert.output_fields["evt.type"] ?? "openat");
    assertEquals(dossier.fields["proc.exepath"], Deno.realPathSync("/bin/sh"));
    assert(typeof dossier.fields["proc.pid"] === "number");
    // What others named stays data on its way: no line of its own, no mark that turns reading.
    assert(!text.includes("\n") && !text.includes("\u202e"));

    const [own, maker, above] = dossier.processes;
    assertEquals(own.pid, dossier.fields["proc.pid"]);
    assertEquals([maker.known, maker.unknown_between], ["seen", 0]);
    assertIncludes(maker.cmdline, 'sh -c (read -r line < "$1") & exit 0 inner');
    assertEquals(above.known, "seen");
    assertIncludes(above.cmdline, "wait");
    assert(own.started >= maker.started && maker.started >= above.started);
    assertEquals(dossier.processes.at(-1).pid, 1);

    const { why, rule } = dossier;
    assertEquals([why.view, why.left_off, why.tree.kind, why.tree.holds], [null, 0, "and", true]);
    const [type, , marked, not] = why.tree.children;
    assertEquals(type.values, [{ of: "evt.type", is: JSON.stringify(dossier.fields["evt.type"]) }]);
    assertEquals([marked.macro, marked.holds, marked.children.length], ["our_marker", true, 2]);
    assertEquals(not.children[0].holds, false);
    assertEquals(not.children[0].values, [{ of: "proc.name", is: '"sh"' }]);
    assertEquals([rule.file, rule.line, rule.tags], [rules, 4, ["test"]]);
    assertIncludes(rule.text, "- rule: Marked read\n  desc:");
    assertIncludes(rule.text, "tags: [test]");
    assertEquals(dossier.capture, null);
    const { json: status } = await asked(saker, "/status");
    assert(status.dossiers.made >= 1);
    assert(status.stream.dossiers >= 1);
  },
});

Deno.test({
  name: "a dossier names the capture that an alert started",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const rules = place.file("rules.yaml");
    await Deno.writeTextFile(rules, rulesText(place.marker));
    await Deno.writeTextFile(place.file("x-end"), "x");
    await using saker = await Saker.start([place.marker], {
      args: [
        ...["-r", rules, "-o", "capture.enabled=true", "-o", "capture.mode=all_rules"],
        ...["-o", `capture.path_prefix=${place.file("kept")}`, "-o", "capture.default_duration=1"],
      ],
    });
    await run("/bin/sh", ["-c", 'read -r line < "$0"', place.file("x-end")]);
    const { id } = await heldAlert(saker, place.marker);
    const { dossier } = (await asked(saker, `/alerts/${id}`)).json;
    assert(dossier.capture.startsWith(`${place.file("kept")}_`), dossier.capture);
    await eventually("the capture", () => Deno.stat(dossier.capture).catch(() => undefined));
  },
});

Deno.test({
  name: "rules and configuration in force are told, and what was wrong with them, no secrets",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const [rules, config] = [place.file("rules.yaml"), place.file("falco.yaml")];
    await Deno.writeTextFile(rules, rulesText(place.marker));
    await Deno.writeTextFile(place.file("y-end"), "x");
    await Deno.writeTextFile(
      config,
      `rules_files: [${rules}]
json_outputt: true
http_output:
  url: https://user:hidden-1@hooks.invalid/hidden-2
  headers: [ "X-Key: hidden-3" ]
`,
    );
    await using saker = await Saker.start([place.marker], { args: ["-c", config] });
    await run("/bin/sh", ["-c", 'read -r line < "$0"', place.file("y-end")]);
    await heldAlert(saker, place.marker);
    const told = await asked(saker, "/rules?rule=Marked+read");
    assertEquals([told.json.total, told.json.generation, told.json.error], [1, 1, undefined]);
    const [rule] = told.json.rules;
    assertEquals([rule.file, rule.line, rule.enabled, rule.matches], [rules, 4, true, 1]);
    assertEquals(Math.abs(Date.now() - Date.parse(rule.last_fired)) < 120_000, true);
    assertEquals(rule.events.includes("openat"), true);
    assertIncludes(told.json.sieve.openat.join("\n"), "dropped unless");
    assertEquals((await asked(saker, "/rules")).json.rules.length, 1);

    await Deno.writeTextFile(rules, "- rule: broken\n  condition: (\n");
    const refused = await eventually("the refusal to be told", async () => {
      const { json } = await asked(saker, "/config");
      return json.reload.refused[0];
    });
    assertIncludes(refused.error, `${rules}:1`);
    const { text, json } = await asked(saker, "/config");
    assertEquals(/hidden-\d/.test(text), false);
    const key = (name: string) => json.keys.find((one: Json) => one.key === name);
    assertEquals(key("rules_files").value, [rules]);
    assertEquals(key("rules_files").where, `${config}:1`);
    assertEquals(key("http_output.url").value, "https://hooks.invalid/(not shown)");
    assertEquals([key("json_output").where, key("json_output").value], ["default", false]);
    assertEquals(json.files, [config]);
    assertEquals([json.reload.generation, json.reload.refusals > 0], [1, true]);
    assertIncludes(json.problems.join("\n"), "json_outputt");

    // Other rules and another configuration: each alert keeps the rule that it was made by.
    const [before] = (await asked(saker, "/alerts/recent?rule=Marked+read")).json.alerts;
    const changed = rulesText(place.marker).replace("desc: A file", "desc: Another file");
    await Deno.writeTextFile(rules, changed);
    await Deno.writeTextFile(config, `rules_files: [${rules}]\nwebserver: { dossiers: false }\n`);
    await eventually("both to be taken", async () => {
      const { json } = await asked(saker, "/config");
      const key = json.keys.find((one: Json) => one.key === "webserver.dossiers");
      if (key?.value !== false) return undefined;
      const { rules: told } = (await asked(saker, "/rules")).json;
      return told[0].description.startsWith("Another") || undefined;
    });
    await run("/bin/sh", ["-c", 'read -r line < "$0"', place.file("y-end")]);
    const after = await eventually("an alert without a dossier", async () => {
      const { alerts } = (await asked(saker, "/alerts/recent?rule=Marked+read")).json;
      return alerts.find((one: Json) => !one.dossier)?.alert;
    });
    const lacking = (await asked(saker, `/alerts/${after.id}`)).json;
    assertEquals([lacking.dossier, typeof lacking.no_dossier], [null, "string"]);
    const kept = (await asked(saker, `/alerts/${before.alert.id}`)).json.dossier;
    assertIncludes(kept.rule.text, "desc: A file");
  },
});
