import { deepStrictEqual as equal, match, ok, strictEqual as same } from "node:assert";
import type { Value } from "../fields/row/field.ts";
import { loadTexts } from "../rules/load_fixture.ts";
import { interpret } from "../rules/match/interpret.ts";
import { factsOf } from "./facts.ts";
import { propose } from "./propose.ts";
import { tuningText } from "./proposal_text.ts";
import { alert, AT_HAND, BACKUP, type Fields, fires, RULES, several } from "./propose_fixture.ts";

Deno.test("propose: a program of root's own and the file it reads make an exception", () => {
  const tuning = propose(several(BACKUP), AT_HAND);
  const [proposal] = tuning.proposals;
  same(tuning.proposals.length, 1);
  same(proposal!.level, "safe");
  same(proposal!.silenced, 3);
  same(tuning.remaining, 0);
  equal(proposal!.parts.map(({ field, comp, values }) => [field, comp, values]), [
    ["container.id", "=", ["host"]],
    ["proc.exepath", "=", ["/usr/local/sbin/backup"]],
    ["proc.pexepath", "=", ["/usr/sbin/cron"]],
    ["user.uid", "=", [0]],
    ["fd.name", "=", ["/etc/shadow"]],
  ]);
  equal(proposal!.evidence.alerts, 3);
  same(proposal!.evidence.processes, 3);
  ok(proposal!.forFalco);
  ok(!fires(tuning, BACKUP));
});

Deno.test("propose: what rests on an image's name, or a user's home, is commented out", () => {
  const fields = {
    ...BACKUP,
    "container.id": "a1b2c3d4e5f6",
    "container.image.repository": "example.org/backup",
    "container.image.digest": null,
    "proc.is_exe_upper_layer": false,
  };
  for (const noise of [fields, { ...BACKUP, "proc.exepath": "/home/bob/bin/backup" }]) {
    const tuning = propose(several(noise), AT_HAND);
    same(tuning.proposals[0]!.level, "care");
    same(tuning.remaining, 3);
    ok(tuning.proposals[0]!.warnings.length > 0);
    equal(loadTexts([RULES, tuningText(tuning, [])]).results[1]!.errors.length, 0);
    ok(fires(tuning, noise));
  }
});

Deno.test("propose: a program of an image with its digest is an exception", () => {
  const noise = {
    ...BACKUP,
    "container.id": "a1b2c3d4e5f6",
    "container.image.repository": "example.org/backup",
    "container.image.digest": "sha256:11",
    "proc.is_exe_upper_layer": false,
  };
  const tuning = propose(several(noise), AT_HAND);
  same(tuning.remaining, 0);
  ok(!fires(tuning, { ...noise, "container.id": "another" }));
  ok(fires(tuning, { ...noise, "container.image.digest": "sha256:22" }));
  ok(fires(tuning, { ...noise, "proc.is_exe_upper_layer": true }));
});

Deno.test("propose: many files are a pattern only where nobody else may put files", () => {
  const noise = (files: readonly string[]) =>
    files.map((name, at) => alert({ ...BACKUP, "fd.name": name }, "File opened", at % 60));
  const numbered = (before: string, after = "") =>
    Array.from({ length: 20 }, (_, at) => `${before}${at}${after}`);
  const partsOf = (files: readonly string[]) => {
    const [proposal] = propose(noise(files), AT_HAND).proposals;
    const part = proposal!.parts.find(({ field }) => field === "fd.name");
    return [proposal!.level, part?.comp, part?.values];
  };
  equal(partsOf(numbered("/etc/keys/job-", "/key")), ["safe", "glob", ["/etc/keys/job-*/key"]]);
  equal(partsOf([...numbered("/etc/keys/a/"), ...numbered("/etc/keys/b/c")]), [
    "safe",
    "pmatch",
    ["/etc/keys/a", "/etc/keys/b"],
  ]);
  const wide = numbered("/tmp/a/");
  equal(partsOf(wide), ["safe", "in", wide]);
  const tooMany = Array.from({ length: 40 }, (_, at) => `/tmp/a/${at}`);
  equal(partsOf(tooMany), ["care", undefined, undefined]);
});

Deno.test("propose: an alert under two views is excused under both or not at all", () => {
  const noise = { ...BACKUP, "fd.name": "/etc/keys/a", "fd.name.other": "/var/lib/keys/a" };
  const tuning = propose(several(noise), AT_HAND);
  same(tuning.remaining, 0);
  equal(tuning.proposals[0]!.parts.at(-1)!.values, ["/etc/keys/a", "/var/lib/keys/a"]);
});

Deno.test("propose: what is to be kept is never silenced", () => {
  const tuning = propose(several(BACKUP), AT_HAND, { keep: [alert(BACKUP, undefined, 59)] });
  equal(tuning.proposals, []);
  match(tuning.refusals[0]!.why[0]!, /would silence alert 59, which is to be kept/);
  const other = propose(several(BACKUP), AT_HAND, {
    keep: [alert({ ...BACKUP, "fd.name": "/etc/gshadow" })],
  });
  same(other.remaining, 0);
});

Deno.test("propose: alerts that tell too little say which fields to add", () => {
  const tuning = propose(several({ "proc.name": "backup", "fd.name": "/etc/shadow" }), AT_HAND);
  equal(tuning.proposals, []);
  equal(tuning.lacking[0]!.fields, ["proc.exepath"]);
  match(tuningText(tuning, []), /# append_output:\n#\s+- match: .*syscall.*\n.*"proc\.exepath"/);
});

Deno.test("propose: alerts that do not tell what was acted on need care", () => {
  const { "fd.name": _, ...noise } = BACKUP;
  const tuning = propose(several(noise), AT_HAND);
  same(tuning.proposals[0]!.level, "care");
  ok(tuning.proposals[0]!.warnings.some((words) => words.includes("the rule asks for fd.name")));
});

Deno.test("propose: values that were not told of together are said to be excused", () => {
  const other = { ...BACKUP, "user.uid": 34, "fd.name": "/etc/gshadow" };
  const [proposal] = propose([...several(BACKUP), ...several(other)], AT_HAND).proposals;
  ok(proposal!.warnings.some((words) => words.startsWith("user.uid and fd.name have several")));
});

Deno.test("propose: alerts that tell less do not make the exception of the others wider", () => {
  const { "user.uid": _, ...less } = BACKUP;
  const tuning = propose([...several(BACKUP), ...several(less)], AT_HAND);
  const [first, second] = tuning.proposals;
  equal([first!.level, first!.silenced, second!.level], ["safe", 3, "care"]);
  equal([tuning.remaining, tuning.withCare, tuning.few], [3, 3, 0]);
  ok(fires(tuning, { ...BACKUP, "user.uid": 1000 }));
});

Deno.test("propose: alerts that do not tell their container are excused on the host alone", () => {
  const { "container.id": _, ...noise } = BACKUP;
  const tuning = propose(several(noise), AT_HAND);
  same(tuning.remaining, 0);
  ok(tuning.proposals[0]!.warnings.some((words) => words.includes("container.id")));
  ok(fires(tuning, { ...BACKUP, "container.id": "a1b2c3d4e5f6" }));
});

Deno.test("propose: what stands in alerts stays where it is put, whatever it is", () => {
  const hostile = "/etc/keys/x\n- rule: Secret read\n  enabled: false\n#'\"), (";
  // A quote behind a backslash ends no text in the rules language, so that one cannot be written.
  const odd = `/etc/keys/a b"c'd), (e\\n`;
  const names = [hostile, "/etc/keys/a\\", odd, "/etc/keys/secret_files"];
  for (const [at, name] of names.entries()) {
    const fields = { ...BACKUP, "fd.name": name, "proc.cmdline": hostile, "proc.name": hostile };
    const noise = [1, 2].map((second) => ({
      ...alert(fields, undefined, second),
      output: `0: Warning ${hostile}`,
    }));
    const tuning = propose(noise, AT_HAND);
    const loaded = loadTexts([RULES, tuningText(tuning, [hostile])]);
    equal(loaded.results[1]!.errors, []);
    equal(loaded.results[1]!.warnings, []);
    ok(loaded.rules.every(({ enabled }) => enabled));
    ok(fires(tuning, { ...BACKUP, "fd.name": "/etc/gshadow" }));
    if (at < 2) equal(tuning.proposals, []);
    else same(tuning.remaining, 0, tuningText(tuning, []));
  }
});

Deno.test("propose: what was taken is quiet, and not proposed again", () => {
  const first = propose(several(BACKUP), AT_HAND);
  const text = tuningText(first, []);
  const again = propose(several(BACKUP), {
    ...AT_HAND,
    files: [...AT_HAND.files, { name: "taken.yaml", text }],
  });
  same(again.quietAlready, 3);
  same(again.remaining, 0);
  equal(again.proposals, []);
});

Deno.test("propose: the condition that the engine judges by agrees with the proposal", () => {
  const { proposals } = propose(several(BACKUP), AT_HAND);
  const loaded = loadTexts([RULES, proposals[0]!.yaml]);
  const rule = loaded.rules.find(({ name }) => name === "Secret read")!;
  const judged = (fields: Fields) => {
    const facts = factsOf(alert({ ...fields, "evt.type": "openat" }))[0]!;
    return interpret(rule.node, (bound) => facts.get(bound.text) as Value);
  };
  ok(!judged(BACKUP));
  ok(judged({ ...BACKUP, "proc.exepath": "/usr/local/sbin/backup2" }));
});

Deno.test("propose: a service account's request is an exception, nobody's is not", () => {
  const request: Fields = {
    "ka.user.name": "system:serviceaccount:ops:backup",
    "ka.verb": "get",
    "ka.target.resource": "secrets",
    "ka.target.namespace": "ops",
    "ka.useragent": "kubectl",
  };
  const ofUser = (name: string) =>
    propose(several({ ...request, "ka.user.name": name }, "Secret asked for"), AT_HAND);
  same(ofUser("system:serviceaccount:ops:backup").remaining, 0);
  same(ofUser("system:anonymous").proposals.length, 0);
  same(ofUser("alice").proposals[0]!.level, "care");
});

Deno.test("propose: Falco's fields alone are used where that is asked for", () => {
  const noise = {
    ...BACKUP,
    "proc.exepath": "/usr/bin/cat",
    "proc.pexepath": "/usr/libexec/agent",
    "proc.birth.exepath[1]": "/usr/libexec/agent",
  };
  const fieldsOf = (falcoOnly: boolean) =>
    propose(several(noise), AT_HAND, { falcoOnly }).proposals[0]!.parts.map(({ field }) => field);
  ok(fieldsOf(false).includes("proc.birth.exepath[1]"));
  ok(fieldsOf(true).includes("proc.pexepath"));
  ok(!fieldsOf(true).some((field) => field.startsWith("proc.birth.")));
});
