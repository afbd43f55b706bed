// For tests of proposals: rules, alerts of them, and whether what is in force still tells of an
// event.
import { deepStrictEqual as equal } from "node:assert";
import { auditFieldSet } from "../fields/audit/audit_field_set.ts";
import { FIELDS } from "../rules/load_fixture.ts";
import { alertOf, type AlertValue, type PrintedAlert } from "./alert.ts";
import type { Tuning } from "./proposal.ts";
import { loadAtHand, type RulesAtHand, stillFires } from "./trial.ts";

export const RULES = `
- list: secret_files
  items: [/etc/shadow, /etc/gshadow]
- rule: Secret read
  desc: d
  condition: evt.type = openat and (fd.name in (secret_files) or fd.name startswith /etc/keys/)
  output: Secret read (file=%fd.name program=%proc.exepath command=%proc.cmdline)
  priority: WARNING
- rule: Program run
  desc: d
  condition: evt.type in (execve, execveat) and evt.failed = false
  output: Program run (program=%proc.exepath)
  priority: NOTICE
- rule: File opened
  desc: d
  condition: evt.type in (open, openat) and fd.name startswith /
  output: File opened (file=%fd.name)
  priority: NOTICE
- rule: Miner run
  desc: d
  condition: evt.type in (execve, execveat) and proc.exepath contains miner
  output: Miner run (program=%proc.exepath)
  priority: NOTICE
- rule: Kernel changed
  desc: d
  condition: evt.type = openat and fd.name startswith /
  output: Kernel changed (program=%proc.exepath)
  priority: ERROR
- rule: Secret asked for
  desc: d
  condition: ka.verb = get and ka.target.resource = secrets
  output: Secret asked for (user=%ka.user.name)
  priority: WARNING
  source: k8s_audit
`;
export const AT_HAND: RulesAtHand = {
  files: [{ name: "rules.yaml", text: RULES }],
  load: { fields: FIELDS, pluginFields: new Map([["k8s_audit", auditFieldSet()]]) },
};

export type Fields = Readonly<Record<string, AlertValue>>;

/** As an administrator's own backup program, run by cron, would read the password file. */
export const BACKUP: Fields = {
  "proc.exepath": "/usr/local/sbin/backup",
  "proc.name": "backup",
  "proc.cmdline": "backup --all",
  "proc.pexepath": "/usr/sbin/cron",
  "proc.birth.exepath[1]": "/usr/sbin/cron",
  "user.uid": 0,
  "container.id": "host",
  "fd.name": "/etc/shadow",
};

export function alert(fields: Fields, rule = "Secret read", second = 0): PrintedAlert {
  return alertOf(
    {
      ...{ rule, priority: "Warning", hostname: "box", output: "Secret read" },
      time: `2026-03-02T09:06:${String(second).padStart(2, "0")}.5Z`,
      source: rule === "Secret asked for" ? "k8s_audit" : "syscall",
      output_fields: fields,
    },
    `alert ${second}`,
  )!;
}

export function several(fields: Fields, rule?: string): PrintedAlert[] {
  return [1, 2, 3].map((second) => alert({ ...fields, "proc.pid": second }, rule, second));
}

/** Whether the rule still fires on an event with these fields, with all that is in force. */
export function fires(tuning: Tuning, fields: Fields, rule = "Secret read"): boolean {
  const yaml = tuning.proposals.filter(({ level }) => level === "safe").map(({ yaml }) => yaml);
  const loaded = loadAtHand(AT_HAND, yaml.join("\n"));
  equal(loaded.results.flatMap(({ errors }) => errors), []);
  const { node } = loaded.rules.find(({ name }) => name === rule)!;
  return stillFires(node, alert(fields, rule));
}
