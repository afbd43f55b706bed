// Noise by chance, made into attacks: whatever is proposed and in force tells of each of them.
import { ok } from "node:assert";
import { Chance } from "../rules/check/condition_fixture.ts";
import type { AlertValue } from "./alert.ts";
import { alert, AT_HAND, type Fields } from "./propose_fixture.ts";
import { propose } from "./propose.ts";
import { loadAtHand, stillFires } from "./trial.ts";

const RULES = ["Secret read", "File opened", "Program run"];
const PROGRAMS = [
  ...["/usr/sbin/backupd", "/usr/bin/cat", "/usr/bin/dash", "/usr/local/sbin/agent", "/tmp/a/x"],
  ...["/usr/bin/python3.11", "/opt/shop/shopd", "/usr/sbin/nginx", "/home/bob/bin/x", "/app/run"],
];
const ANCESTORS = [
  ...["/usr/sbin/cron", "/usr/bin/bash", "/usr/sbin/sshd", "/usr/sbin/nginx", "/usr/bin/sudo"],
  ...["/usr/local/sbin/agent", "/usr/lib/systemd/systemd", "/opt/shop/shopd", "/tmp/a/y"],
];
const FILES = [
  ...["/etc/shadow", "/etc/gshadow", "/etc/keys/a", "/etc/keys/b/c", "/tmp/x", "/home/bob/y"],
];

function noise(chance: Chance): Record<string, AlertValue> {
  const [first, second, third] = [1, 2, 3].map(() => chance.of(ANCESTORS));
  const inContainer = chance.below(3) === 0;
  const fields: Record<string, AlertValue> = {
    "proc.exepath": chance.of(PROGRAMS),
    "proc.name": chance.of(["x", "sh", "cat"]),
    "proc.cmdline": chance.of(["x", "x -a"]),
    "proc.pexepath": first!,
    "proc.birth.exepath[1]": first!,
    "proc.birth.exepath[2]": second!,
    "proc.birth.exepath[3]": chance.below(3) === 0 ? null : third!,
    "user.uid": chance.of([0, 0, 34, 1000]),
    "container.id": inContainer ? "a1b2c3d4e5f6" : "host",
    "fd.name": chance.of(FILES),
  };
  if (inContainer) {
    fields["container.image.repository"] = "example.org/shop";
    fields["container.image.digest"] = chance.of(["sha256:11", "sha256:11", null]);
    fields["proc.is_exe_upper_layer"] = chance.below(4) === 0;
    fields["proc.is_exe_lower_layer"] = chance.of([true, true, false]);
  }
  // An output shows some of it.
  for (const field of Object.keys(fields)) {
    if (chance.below(16) === 0) delete fields[field];
  }
  return fields;
}

/** The same done by somebody else; nothing of it is what the noise did. */
function attacks(fields: Fields): Fields[] {
  const session: Record<string, AlertValue> = {
    ...fields,
    "proc.exepath": "/usr/bin/cat",
    "proc.pexepath": "/usr/bin/bash",
    "proc.birth.exepath[1]": "/usr/bin/bash",
    "proc.birth.exepath[2]": "/usr/sbin/sshd",
    "proc.birth.exepath[3]": null,
  };
  const below: Record<string, AlertValue> = {
    ...session,
    "proc.exepath": "/usr/bin/dash",
    "proc.birth.exepath[1]": "/usr/sbin/nginx",
    "proc.pexepath": "/usr/sbin/nginx",
  };
  return [
    { ...fields, "proc.exepath": "/tmp/.x/backupd" },
    { ...fields, "proc.exepath": "/dev/shm/cat" },
    { ...fields, "user.uid": 4711 },
    { ...fields, "container.id": "0123456789ab", "container.image.digest": "sha256:22" },
    {
      ...{ ...fields, "container.id": "0123456789ab" },
      ...{ "proc.is_exe_upper_layer": true, "proc.is_exe_lower_layer": false },
    },
    session,
    below,
  ];
}

Deno.test("propose: of noise by chance, no exception that is in force excuses an attack", () => {
  const chance = new Chance(20_261_127);
  const before = new Map(loadAtHand(AT_HAND).rules.map(({ name, node }) => [name, node]));
  let inForce = 0;
  let tried = 0;
  for (let round = 0; round < 120; round++) {
    const given = Array.from({ length: 12 }, (_, at) => ({ fields: noise(chance), at }));
    const rule = chance.of(RULES);
    const alerts = given.map(({ fields, at }) => alert(fields, rule, at));
    const { proposals } = propose(alerts, AT_HAND, { alertsMin: 1 });
    const safe = proposals.filter(({ level }) => level === "safe");
    if (safe.length === 0) continue;
    inForce += safe.length;
    const loaded = loadAtHand(AT_HAND, safe.map(({ yaml }) => yaml).join("\n"));
    const { node } = loaded.rules.find(({ name }) => name === rule)!;
    for (const { fields } of given) {
      for (const attack of attacks(fields)) {
        // What the rule would not tell of without exceptions is no attack.
        if (!stillFires(before.get(rule)!, alert(attack, rule))) continue;
        tried++;
        ok(stillFires(node, alert(attack, rule)), JSON.stringify({ fields, attack, safe }, big));
      }
    }
  }
  ok(inForce > 30 && tried > 1000, `${inForce} in force, ${tried} tried`);
});

function big(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
