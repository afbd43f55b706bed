// Rules on calls that come live without parameters: those that need none match the generic event,
// the others are told.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { codeOf, EVENTS, SYSCALLS } from "../../events/table.ts";
import { Scene } from "../../state/scene.ts";
import { loadTexts, ruleText, warningsOf } from "../load_fixture.ts";
import { lint } from "../tools/lint.ts";

const { sc, exit } = SYSCALLS.find(({ name }) => name === "mprotect")!;
const OWN = EVENTS[exit!]!;
const PARAM = "prot";
/** As on a host whose probe does not fill that one. */
const unfilled = new Set([OWN.code]);

const told = (condition: string, live = true, lacking = unfilled) =>
  warningsOf(loadTexts([ruleText("r", condition)], { live, unfilled: lacking }))
    .filter((text) => text.startsWith("LOAD_UNFILLED_CALL"));

/** Whether the rule matches the generic event that the probe gives for the call. */
function matchesGeneric(condition: string): boolean {
  const { ruleSet } = loadTexts([ruleText("r", condition)], { unfilled });
  const scene = new Scene();
  scene.exec(5, "sh");
  scene.event("GENERIC_X", 5, { ID: sc, nativeID: 0 });
  const matched = new Int32Array(1);
  return ruleSet!.match(scene.context, matched) === 1;
}

Deno.test("a rule that needs nothing of a call matches the generic event by its own name", () => {
  ok(matchesGeneric(`evt.type = ${OWN.name} and proc.name = sh`));
  ok(matchesGeneric(`evt.type in (open, ${OWN.name}) and evt.dir = < and not proc.name = x`));
  ok(!matchesGeneric(`evt.type = ${OWN.name} and proc.name = other`));
  deepStrictEqual(told(`evt.type = ${OWN.name} and proc.name = sh`), []);
});

Deno.test("a rule that needs parameters does not match without them, not even denied ones", () => {
  for (const check of [`evt.arg.${PARAM} = x`, `not evt.arg.${PARAM} = x`, "fd.name = x"]) {
    ok(!matchesGeneric(`evt.type = ${OWN.name} and ${check}`), check);
    strictEqual(told(`evt.type = ${OWN.name} and ${check}`).length, 1, check);
    deepStrictEqual(told(`evt.type = ${OWN.name} and ${check}`, false), [], check);
  }
});

Deno.test("parts of a condition that are about other calls need nothing of this one", () => {
  const condition =
    `(evt.type = openat and fd.name = x) or (evt.type = ${OWN.name} and proc.name = sh)`;
  deepStrictEqual(told(condition), []);
  ok(matchesGeneric(condition));
  deepStrictEqual(told("proc.name = sh and fd.num = 3"), []);
});

Deno.test("what cannot match live is told with the call and the fields, also by lint", () => {
  const loaded = loadTexts([ruleText("r", `evt.type = ${OWN.name} and evt.rawres > 0`)], {
    live: true,
    unfilled,
  });
  const [warning] = loaded.results[0]!.warnings;
  strictEqual(
    warning?.message,
    `${OWN.name} comes live without parameters in this version of saker, and the condition needs ` +
      "evt.rawres: the rule cannot match it",
  );
  deepStrictEqual(lint(loaded).map(({ kind, rule }) => `${kind} ${rule}`), ["dead-live r"]);
});

Deno.test("rules ask by name for their calls, but not those of all events", () => {
  const named = (condition: string) => loadTexts([ruleText("r", condition)]).ruleSet!.namedEvents!;
  deepStrictEqual([...named("evt.type in (read, write)")].sort(), ["read", "write"]);
  strictEqual(named("proc.name = sh").size, 0);
});

Deno.test("a rule that names no event is told where what it asks for means such calls", () => {
  deepStrictEqual(told(`evt.arg.${PARAM} contains EXEC and proc.name = sh`).length, 1);
  deepStrictEqual(told(`not evt.arg.${PARAM} exists`), [], "that is true of most events");
  const writing = new Set(["SYSCALL_WRITE_X", "SYSCALL_WRITEV_X"].map(codeOf));
  const [text] = told("evt.is_io_write = true and fd.typechar = f", true, writing);
  ok(text!.includes("write, writev come live without parameters"), text);
  ok(text!.includes("needs evt.is_io_write, fd.typechar: the rule cannot match them"), text);
  deepStrictEqual(told("evt.is_io_read = true", true, writing), []);
  deepStrictEqual(told("evt.io_dir = write", true, writing).length, 1);
  deepStrictEqual(told("evt.category = memory").length, 1);
  deepStrictEqual(told("evt.category = file"), []);
});

Deno.test("an output that such a call would leave empty is told, and not as a dead rule", () => {
  const output = `%evt.type %evt.arg.${PARAM} %evt.arg.name %fd.name %proc.name %evt.rawres`;
  const find = (condition: string, extra: Record<string, unknown> = {}) => {
    const loaded = loadTexts([ruleText("r", condition, { output, ...extra })], {
      live: true,
      unfilled,
    });
    return lint(loaded).map(({ kind, reason }) => `${kind}: ${reason}`);
  };
  deepStrictEqual(find(`evt.type in (open, ${OWN.name})`), [
    `blank-output: ${OWN.name} comes live without parameters in this version of saker: the ` +
    `output of the rule does not show evt.arg.${PARAM}, evt.rawres of it`,
  ]);
  deepStrictEqual(find("evt.type = open"), []);
  deepStrictEqual(find(`evt.type = ${OWN.name}`, { output: "%proc.name %fd.name" }), []);
  const kinds = find(`evt.type = ${OWN.name} and evt.rawres = 0`).map((text) => text.split(":")[0]);
  deepStrictEqual(kinds, ["dead-live"], "what cannot match shows nothing");
});
