// What is shown of one alert: ancestors by birth with what is missing between them, the condition
// with its values, the fields that there are.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import type { AlertAnswer, ProcessJson } from "../../server/told/answers.ts";
import { clock } from "./alert_text.ts";
import { dossierLines } from "./dossier_text.ts";

const STARTED = "2026-11-27T05:00:45.972Z";

function process(pid: number, name: string, more: Partial<ProcessJson> = {}): ProcessJson {
  return {
    pid,
    name,
    exe: name,
    exepath: `/bin/${name}`,
    cmdline: `${name} -x`,
    started: STARTED,
    past: false,
    known: "seen",
    unknown_between: 0,
    ...more,
  };
}

const ANSWER: AlertAnswer = {
  alert: {} as AlertAnswer["alert"],
  dossier: {
    fields: { "fd.name": "/etc/shadow", "user.uid": 0, "fd.sip": null, "container.name": "" },
    processes: [
      process(9, "cat", { known: null }),
      process(7, "sh", { cmdline: null, past: true }),
      process(1, "init", { started: null, unknown_between: null }),
    ],
    why: {
      view: null,
      tree: {
        kind: "and",
        holds: true,
        children: [
          {
            kind: "check",
            holds: true,
            macro: "reads",
            text: "fd.name = /etc/shadow",
            values: [{ of: "fd.name", is: '"/etc/shadow"' }],
          },
          { kind: "not", holds: true, children: [{ kind: "check", holds: null, text: "a = b" }] },
        ],
      },
      left_off: 3,
    },
    rule: {
      name: "r",
      source: "syscall",
      priority: "Warning",
      tags: ["t", "u"],
      description: "Somebody read it.",
      file: "rules/files.yaml",
      line: 12,
      text: "",
      also_at: ["own.yaml:3"],
      condition: "reads and not a = b",
      output: "",
    },
    capture: "/var/cap.scap",
  },
};

Deno.test("one alert is shown with its ancestors, its why, its rule and its fields", () => {
  const since = `since ${clock(Date.parse(STARTED))}`;
  deepStrictEqual(dossierLines(ANSWER), [
    "Who started whom, by birth:",
    "  init (1)  init -x",
    "    … some between that are not known",
    `    sh (7) ${since}  /bin/sh  (it has ended, or ran another program, by then)`,
    `      cat (9) ${since}  cat -x`,
    "",
    "Why it fired:",
    "  ✓ all of",
    '    ✓ reads: fd.name = /etc/shadow   [fd.name is "/etc/shadow"]',
    "    ✓ not",
    "      ? a = b",
    "  (3 more parts were not kept)",
    "",
    "The rule, rules/files.yaml:12, own.yaml:3:",
    "  Somebody read it.",
    "  condition: reads and not a = b",
    "  tags: t, u",
    "",
    "Fields:",
    "  fd.name = /etc/shadow",
    "  user.uid = 0",
    "",
    "The events around it are in /var/cap.scap",
  ]);
});

Deno.test("an alert without more says why, and many ancestors stay on the screen", () => {
  const lack = "it had to give way to newer ones";
  deepStrictEqual(dossierLines({ ...ANSWER, dossier: null, no_dossier: lack }), [
    `No more is known of it: ${lack}`,
  ]);
  const processes = Array.from({ length: 40 }, (_, at) => process(at + 1, "sh"));
  const lines = dossierLines({ ...ANSWER, dossier: { ...ANSWER.dossier!, processes } });
  const shown = lines.filter((line) => /^ +sh \(\d+\)/.test(line));
  strictEqual(shown.length, 40);
  ok(shown.every((line) => line.search(/\S/) <= 16));
});
