// Processes that the sieve over captures holds back: the same alerts, byte for byte, with it and
// without it, over histories by chance, whatever rules show of processes, their ancestors, leaders
// and descriptors. SAKER_TEST_LIVES: from which seed on, and how many, instead of those kept here.
import { ok, strictEqual } from "node:assert";
import { Chance } from "../src/rules/check/condition_fixture.ts";
import { ruleText } from "../src/rules/load_fixture.ts";
import { historyByChance } from "./lives_captures.ts";
import { replayed, rulesStart } from "./sieve_runs.ts";

const STEPS = 160;
/** What an alert shows of a process. */
const ITSELF = "%evt.num %evt.time.iso8601 %evt.reltime %evt.type %evt.args %thread.tid " +
  "%thread.vtid %proc.pid %proc.vpid " +
  "%proc.name %proc.exe %proc.exepath %proc.cmdline %proc.env %proc.cwd %proc.tty " +
  "%proc.duration %proc.nthreads %proc.nchilds %proc.is_exe_from_memfd %proc.pgid %proc.vpgid " +
  "%proc.sid %proc.fdlimit %proc.pidns_init_start_ts %thread.cap_effective %thread.vmsize " +
  "%user.uid %user.name " +
  "%user.loginuid %group.gid %container.id";
const ANCESTORS =
  "%proc.ppid %proc.pname %proc.pcmdline %proc.pexepath %proc.pvpid %proc.ppid.ts " +
  "%proc.ppid.duration %proc.aname[2] %proc.aname[3] %proc.apid[2] %proc.aname %proc.acmdline[2] " +
  "%proc.aenv[2] %proc.ancestry %proc.birth.ancestry %proc.birth.name[2] %proc.loginshellid";
const LEADERS = "%proc.sname %proc.sid.exe %proc.vpgid.name %proc.pgid.name %proc.pgid.exepath";
const FILES =
  "%fd.num %fd.name %fd.type %fd.directory %fd.typechar %proc.fdopencount %fd.types[3] " +
  "%proc.stdin.name";

/** Conditions that few processes' events match, and some that all of a kind do. */
const CONDITIONS = [
  "evt.type = unlink",
  "evt.type = unlink and proc.name = cc",
  "evt.type = write and fd.name startswith /tmp",
  "evt.type = openat and fd.name = /etc/shadow",
  "evt.type = openat and fd.name = /etc/shadow and not proc.name in (sh, cat)",
  "evt.type = execve and proc.name = nc",
  "evt.type = execve and proc.name in (find, nc) and proc.args contains passwd",
  "evt.type = execve and proc.is_exe_from_memfd = true",
  "evt.type = execve and user.name = root and proc.pname = sshd",
  "evt.type = execve and not proc.pname in (sh, make, init, cc)",
  "evt.type in (execve, execveat) and not proc.pname exists and proc.name != sh",
  "evt.type = execve and proc.pexepath endswith /make and not proc.name in (cat, sh)",
  "evt.type = execve and (proc.pexe = /bin/cc or proc.pname in (find, nc) and proc.name = sh)",
  "proc.pname = cat and (evt.type = unlink or evt.type = execve and proc.aname[2] = sh)",
  "evt.type = execve and container.id != host",
  "evt.type = execve and user.uid = 5 and proc.cmdline contains '-x'",
  "evt.type = execve and proc.aname = nc",
  "evt.type = execve and proc.env contains 'B=nc'",
  "(evt.type = openat and fd.name = /etc/shadow) or (evt.type = execve and proc.name = find)",
  "evt.type = execve and evt.failed = true and proc.name = make",
  "evt.type in (execve, execveat) and evt.res != SUCCESS and user.uid = 5",
  "evt.type in (execve, execveat) and user.name in (eve, bob) and not proc.name in (sh, make)",
  "evt.type = execve and evt.rawres < 0 and proc.cmdline contains passwd",
  "evt.type = execveat and proc.tty = 1 and proc.pname in (cc, sh, init)",
  "evt.type in (execve, execveat) and evt.failed = true and proc.env contains 'B=cat'",
  "evt.type = execveat and (proc.is_exe_from_memfd = true or proc.is_exe_lower_layer = true)",
  "evt.type = execve and evt.failed = true and container.id != host and group.gid = 0",
  "evt.type = procexit and proc.name = sh",
  "evt.type = kill",
  "evt.type = kill and proc.name = make",
  "evt.type = prlimit and proc.name = find",
  "evt.type = connect and fd.l4proto = udp and proc.name = nc",
  "evt.type = setuid",
  "evt.type = chdir and proc.name = sh",
  "evt.type = close and fd.name contains x.so",
  "evt.type = getuid and proc.exepath = /usr/bin/cc",
  "evt.type = getuid and proc.pname = make",
];

/** Rules that no process of a history is of: more parts of rules than bits for threads. */
const OTHERS = Array.from({ length: 150 }, (_, at) =>
  ruleText(
    `other${at}`,
    JSON.stringify(
      at % 3 === 0
        ? `evt.type in (execve, unlink) and proc.name in (tool${at}, tool${at + 1})`
        : at % 3 === 1
        ? `evt.type in (openat, getuid) and proc.exepath endswith /tool${at}`
        : `evt.type = execve and (proc.args contains "--${at}" or proc.exe = tool${at})`,
    ),
  )).join("");

/** Replays of one seed, with the sieve and without; `others`: rules before its own. */
function compareSeed(
  seed: number,
  file: string,
  others = "",
): { passed: number; alerts: number } {
  const chance = new Chance(seed);
  Deno.writeFileSync(file, historyByChance(chance, STEPS, seed % 2 === 0));
  const parts = [ITSELF, ANCESTORS];
  if (chance.below(3) === 0) parts.push(LEADERS);
  if (chance.below(3) !== 0) parts.push(FILES);
  const text = others +
    chance.some(CONDITIONS, 3).map((condition, at) =>
      ruleText(`r${at}`, JSON.stringify(condition), { output: JSON.stringify(parts.join(" ")) })
    ).join("");
  const rules = rulesStart(text);
  const without = replayed([file], rules, false);
  const withIt = replayed([file], rules, true);
  const first = without.alerts.findIndex((alert, index) => alert !== withIt.alerts[index]);
  const what = `seed ${seed} under\n${text}`;
  strictEqual(withIt.alerts[first], without.alerts[first], what);
  strictEqual(withIt.alerts.length, without.alerts.length, what);
  strictEqual(withIt.events, without.events, what);
  return { passed: withIt.passed, alerts: withIt.alerts.length };
}

const [FROM, COUNT] = (Deno.env.get("SAKER_TEST_LIVES") ?? "1 320").split(" ").map(Number);

/** Over all seeds that are asked for. */
function compareSeeds(count: number, others = ""): { passed: number; alerts: number } {
  const file = Deno.makeTempFileSync({ suffix: ".scap" });
  let [passed, alerts] = [0, 0];
  try {
    for (let seed = FROM!; seed < FROM! + count; seed++) {
      const found = compareSeed(seed, file, others);
      passed += found.passed;
      alerts += found.alerts;
    }
  } finally {
    Deno.removeSync(file);
  }
  return { passed, alerts };
}

Deno.test("a replay tells the same of processes held back, over histories by chance", () => {
  const { passed, alerts } = compareSeeds(COUNT!);
  ok(passed > COUNT! * STEPS / 4, `${passed} events were passed over`);
  ok(alerts > COUNT!, `${alerts} alerts`);
});

Deno.test("a replay holds back as much where rules ask for more than there are bits", () => {
  const seeds = Math.ceil(COUNT! / 8);
  const few = compareSeeds(seeds);
  const many = compareSeeds(seeds, OTHERS);
  strictEqual(many.alerts, few.alerts);
  ok(many.passed > few.passed * 0.9, `${many.passed} instead of ${few.passed} events`);
});
