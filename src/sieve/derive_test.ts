// Whatever a rule matches, the sieve keeps: rules of all operators, nested and negated, against
// events, both made by chance; the seeds stand in the tests' names where one failed.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import type { Event } from "../events/event.ts";
import { codeOf } from "../events/table.ts";
import { interpret } from "../rules/match/interpret.ts";
import { wantedCodes } from "../rules/match/compile.ts";
import { Chance } from "../rules/check/condition_fixture.ts";
import { loadTexts, ruleText } from "../rules/load_fixture.ts";
import type { Context } from "../state/contract/context.ts";
import { AT_FDCWD } from "../state/tables/paths.ts";
import { Scene } from "../state/scene.ts";
import { eventByChance, rulesByChance, TIDS } from "./chance_fixture.ts";
import { deriveGuards } from "./derive.ts";
import { describeSieve } from "./describe.ts";
import { sieveFindings } from "./lint.ts";
import { isOpen, textsOf } from "./event_texts.ts";
import { liveSieveOf } from "./sieve.ts";
import { tableBytes, Verdict } from "./table.ts";
import { type NameTexts, TableWalk } from "./walk_fixture.ts";

const encoder = new TextEncoder();

/** What a walk over the event's bytes can know of its names; undefined: not of all. */
export function namesOf(context: Context, before: string[]): NameTexts[] | undefined {
  const { event, machine, thread } = context;
  const names: NameTexts[] = [];
  for (const { kind, param, directory } of textsOf(event.code) ?? []) {
    if (kind === "descriptor") return undefined;
    const raw = event.bytes.slice(event.param(param), event.textEnd(param));
    const text = new TextDecoder().decode(raw);
    if (text === "" || text === "(NULL)" || raw.length > 900) return undefined;
    if (text.startsWith("/")) {
      names.push({ joined: raw, raw });
      continue;
    }
    const dirfd = directory === undefined ? AT_FDCWD : event.int32(directory);
    if (!isOpen(event.code) || thread === undefined) return undefined;
    const base = dirfd === AT_FDCWD ? machine.strings.text(thread.cwd) : before[dirfd];
    if (base === undefined || base === "" || base === "/") return undefined;
    const path = `${base.replace(/\/$/, "")}/${text}`;
    names.push({ joined: encoder.encode(path), raw });
  }
  return names;
}

/** Tells events by chance to a scene; `each` gets the context after each of them. */
function tell(
  chance: Chance,
  scene: Scene,
  count: number,
  each: (context: Context, names: NameTexts[] | undefined) => void,
): void {
  for (const tid of TIDS) {
    scene.born(tid, tid, 1);
    scene.exec(tid, chance.of(["b", "sh"]));
    scene.event("SYSCALL_CHDIR_X", tid, { res: 0, path: chance.of(["/tmp/a/", "/etc", "/"]) });
  }
  for (let index = 0; index < count; index++) {
    const { id, tid, params } = eventByChance(chance);
    // Names of directories as they are before the event, by descriptor.
    const before: string[] = [];
    for (const [number, name] of Object.entries(scene.fds(tid))) before[Number(number)] = name;
    const context = scene.event(id, tid, params);
    // The engine counts events from 1 on.
    context.event.num = index + 1;
    each(context, namesOf(context, before));
  }
}

Deno.test("A sieve keeps whatever a rule made by chance matches", () => {
  let pairs = 0;
  let dropped = 0;
  let matched = 0;
  for (let seed = 1; seed <= 400; seed++) {
    const chance = new Chance(seed);
    const text = rulesByChance(chance, 4);
    const { enabled, ruleSet } = loadTexts([text]);
    if (ruleSet === undefined) continue;
    const walk = new TableWalk(tableBytes(deriveGuards(enabled)));
    const wanted = enabled.map((rule) => new Set(wantedCodes(rule, "syscall")));
    tell(chance, new Scene(), 60, (context, names) => {
      pairs++;
      const { event } = context;
      const keeps = walk.keeps(event, names);
      if (!keeps) dropped++;
      for (const [index, rule] of enabled.entries()) {
        if (!wanted[index]!.has(event.code)) continue;
        if (!interpret(rule.node, (bound) => bound.extract(context))) continue;
        matched++;
        ok(keeps, `seed ${seed}, event ${event.num}: ${shown(event)} is dropped for\n${text}`);
      }
    });
  }
  ok(pairs > 10_000, `${pairs} pairs`);
  // It would be easy to keep everything, or to match nothing.
  ok(dropped > pairs / 8, `${dropped} of ${pairs} dropped`);
  ok(matched > pairs / 8, `${matched} of ${pairs} matched`);
});

function shown(event: Event): string {
  return `code ${event.code} ${new TextDecoder().decode(event.bytes).replace(/[^ -~]+/g, " ")}`;
}

Deno.test("A sieve drops opens of names that no rule asks for, by flags and by result", () => {
  const condition = "evt.type in (open, openat) and evt.is_open_read = true and fd.num >= 0 and " +
    "fd.name startswith /etc/ and not proc.name = cat";
  const guards = deriveGuards(loadTexts([ruleText("r", condition)]).enabled);
  const walk = new TableWalk(tableBytes(guards));
  const scene = new Scene();
  scene.born(10, 10, 1);
  const keeps = (name: string, flags: number, fd = 3) => {
    const context = scene.event("SYSCALL_OPENAT_2_X", 10, {
      fd,
      dirfd: -100,
      name,
      flags,
      mode: 0,
    });
    return walk.keeps(context.event, namesOf(context, []));
  };
  strictEqual(keeps("/etc/passwd", 1), true);
  strictEqual(keeps("/etc/passwd", 2), false);
  strictEqual(keeps("/etc/passwd", 1, -2), false);
  strictEqual(keeps("/usr/lib/x", 1), false);
  strictEqual(keeps("/tmp/../etc/x", 1), true);
  strictEqual(guards[scene.close(10, 3).event.code]!.verdict, Verdict.Drop);
});

Deno.test("A sieve keeps a failed open whose raw name is shown as the whole path", () => {
  const condition = "evt.type = open and fd.nameraw startswith /tmp/a/";
  const { enabled } = loadTexts([ruleText("r", condition)]);
  const walk = new TableWalk(tableBytes(deriveGuards(enabled)));
  const scene = new Scene();
  scene.born(10, 10, 1);
  scene.event("SYSCALL_CHDIR_X", 10, { res: 0, path: "/tmp/a" });
  const params = { fd: -2, name: "below", flags: 1, mode: 0, dev: 1, ino: 2 };
  const context = scene.event("SYSCALL_OPEN_X", 10, params);
  strictEqual(interpret(enabled[0]!.node, (bound) => bound.extract(context)), true);
  strictEqual(walk.keeps(context.event, namesOf(context, [])), true);
});

Deno.test("A sieve drops what a rule excludes by name, where that is exact", () => {
  const condition = "evt.type = openat and not (fd.name startswith /usr/ or fd.name = /a/b)";
  const walk = new TableWalk(
    tableBytes(deriveGuards(loadTexts([ruleText("r", condition)]).enabled)),
  );
  const scene = new Scene();
  scene.born(10, 10, 1);
  const keeps = (name: string) => {
    const context = scene.open(10, 3, name);
    return walk.keeps(context.event, namesOf(context, []));
  };
  strictEqual(keeps("/usr/lib"), false);
  strictEqual(keeps("/a/b"), false);
  strictEqual(keeps("/a/bc"), true);
  strictEqual(keeps("/usr/../etc"), true);
});

Deno.test("describeSieve says in words what is dropped and which rules open the sieve", () => {
  const { enabled } = loadTexts([
    ruleText("Reads", "evt.type = openat and evt.is_open_read = true and fd.name startswith /etc/"),
    ruleText("Any", "evt.type = connect and proc.name = curl"),
  ]);
  const lines = describeSieve(enabled);
  ok(lines.includes("openat: dropped unless one of these holds (1 rules):"), lines.join("\n"));
  ok(lines.includes("  - flags with O_RDWR or O_RDONLY; a name starts with /etc/"));
  ok(lines.some((line) => line.startsWith("connect: kept") && line.includes('"Any"')));
  ok(lines.at(-1)!.includes("dropped: ") && lines.at(-1)!.includes("getuid"));
});

Deno.test("sieveFindings names rules that open the sieve for frequent calls", () => {
  const { enabled } = loadTexts([
    ruleText("number", "evt.num > 0 and proc.name = sh"),
    ruleText("delta", "evt.type = openat and evt.deltatime > 5"),
    ruleText("fine", "evt.type = openat and fd.name = /etc/shadow"),
    ruleText("rare", "evt.type = execve and proc.name = sh"),
  ]);
  const findings = sieveFindings(enabled).map(({ rule, reason }) => `${rule.name}: ${reason}`);
  strictEqual(findings.length, 2, findings.join("\n"));
  ok(/^number: every openat, open, close, fcntl, read, write is judged/.test(findings[0]!));
  ok(/^delta: evt.deltatime depends on every event/.test(findings[1]!));
});

Deno.test("liveSieveOf keeps opens of names that rules ask for when files are used", () => {
  const walks = (...conditions: string[]) => {
    const { enabled } = loadTexts([
      conditions.map((condition, index) => ruleText(`r${index}`, condition)).join("\n"),
    ]);
    const { table, keepsOpens } = liveSieveOf(enabled);
    strictEqual(keepsOpens, false);
    const walk = new TableWalk(table);
    const scene = new Scene();
    scene.born(10, 10, 1);
    return (name: string) => {
      const context = scene.open(10, 3, name);
      return walk.keeps(context.event, namesOf(context, []));
    };
  };
  const keeps = walks(
    "evt.type = fchmod and fd.name startswith /usr/bin/ and evt.arg.mode contains S_IXUSR",
    "evt.type in (link, linkat) and evt.arg.oldpath = /etc/shadow",
    "evt.type in (link, linkat) and fs.path.target startswith /a/",
    "evt.type in (dup, dup2, dup3) and fd.type in (ipv4, ipv6) and fd.name contains 22",
    "evt.type = fchmod and evt.arg.mode contains S_ISUID",
    "evt.type = unlinkat and fs.path.name startswith /b/",
  );
  strictEqual(keeps("/usr/bin/x"), true);
  strictEqual(keeps("/etc/shadow"), true);
  strictEqual(keeps("/etc/hostname"), false);
  strictEqual(keeps("/a/b"), false);
  strictEqual(keeps("/b/b"), false);
  const excluding = walks("evt.type = fchmod and not fd.name startswith /usr/");
  strictEqual(excluding("/usr/x"), false);
  strictEqual(excluding("/etc/hostname"), true);
  strictEqual(walks("evt.type = fchmod and not fd.name icontains x")("/etc/hostname"), true);
});

Deno.test("liveSieveOf keeps every open where a rule asks for close or counts descriptors", () => {
  const keepsOpens = (condition: string) =>
    liveSieveOf(loadTexts([ruleText("r", condition)]).enabled).keepsOpens;
  strictEqual(keepsOpens("evt.type = close and fd.name = /etc/shadow"), true);
  strictEqual(keepsOpens("evt.type = close and fd.type = ipv4 and fd.sport = 22"), false);
  strictEqual(keepsOpens("evt.type = execve and proc.fdopencount > 100"), true);
  strictEqual(keepsOpens("evt.type = execve and proc.stdin.type = ipv4"), false);
});

Deno.test("deriveGuards asks for a socket's protocol where it is known, and only there", () => {
  const verdict = (condition: string, id: string, protocols: boolean) => {
    const { enabled } = loadTexts([ruleText("r", condition)]);
    return deriveGuards(enabled, { protocols })[codeOf(id)]!.verdict;
  };
  const udp = "evt.type in (connect, accept4, sendto) and fd.l4proto = udp";
  strictEqual(verdict(udp, "SOCKET_CONNECT_X", false), Verdict.Keep);
  strictEqual(verdict(udp, "SOCKET_CONNECT_X", true), Verdict.Ask);
  strictEqual(verdict(udp, "SOCKET_ACCEPT4_6_X", true), Verdict.Ask);
  strictEqual(verdict(udp, "SOCKET_SENDTO_X", true), Verdict.Keep);
  // What a socket without a protocol satisfies, every socket may.
  for (
    const other of [
      "not fd.l4proto = udp",
      "fd.l4proto != udp",
      'fd.l4proto contains "A"',
      "toupper(fd.l4proto) = UDP",
      "fd.l4proto = val(fd.type)",
    ]
  ) {
    const condition = JSON.stringify(`evt.type = connect and ${other}`);
    strictEqual(verdict(condition, "SOCKET_CONNECT_X", true), Verdict.Keep, other);
  }
  const none = JSON.stringify("evt.type = connect and fd.l4proto = sctp");
  strictEqual(verdict(none, "SOCKET_CONNECT_X", true), Verdict.Drop);
});

Deno.test("a rule on the name of an address can match nothing, as names are not looked up", () => {
  const { enabled } = loadTexts([
    ruleText("pool", "evt.type in (connect, sendto) and fd.sip.name in (pool.example)") +
    ruleText("api", "evt.type in (connect, accept) and fd.rip.name = a.b and proc.name = sh"),
  ]);
  const guards = deriveGuards(enabled);
  for (const id of ["SOCKET_CONNECT_X", "SOCKET_SENDTO_X", "SOCKET_ACCEPT_5_X"]) {
    strictEqual(guards[codeOf(id)]!.verdict, Verdict.Drop, id);
  }
  const not = loadTexts([ruleText("not", "evt.type = connect and not fd.sip.name = a.b")]).enabled;
  strictEqual(deriveGuards(not)[codeOf("SOCKET_CONNECT_X")]!.verdict, Verdict.Keep);
});

Deno.test("A sieve drops calls with other errors than those that a rule names", () => {
  const condition = "evt.type = unlink and (evt.res in (EACCES, EPERM) or evt.rawres = -17)";
  const walk = new TableWalk(
    tableBytes(deriveGuards(loadTexts([ruleText("r", JSON.stringify(condition))]).enabled)),
  );
  const scene = new Scene();
  scene.born(10, 10, 1);
  const keeps = (res: number) =>
    walk.keeps(scene.event("SYSCALL_UNLINK_2_X", 10, { res, path: "/a" }).event, undefined);
  deepStrictEqual([-13, -1, -17, -2, 0].map(keeps), [true, true, true, false, false]);
});
