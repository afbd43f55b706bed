// Programs after public reports (../shared/cases/live, where they are at hand) under the built
// binary: what the real Falco tells of them, or what is righter than it.
import { UNFILLED } from "../../src/events/filled.ts";
import { EVENTS } from "../../src/events/table.ts";
import { assert, assertEquals } from "./expect.ts";
import { type Alert, eventually, Saker } from "./saker.ts";
import { has, isFile, isRoot, Place, run } from "./trigger.ts";

const CASES = new URL("../../../shared/cases/live/", import.meta.url).pathname;

/** Compiled into the place, by which its alerts are known. */
async function compiledCase(place: Place, name: string): Promise<string> {
  const program = place.file(name);
  const { code, stderr } = await run("cc", ["-w", "-o", program, `${CASES}${name}/${name}.c`]);
  assertEquals(code, 0, stderr);
  return program;
}

/** A watch under the rules, each alert with the program that did it. */
function watching(place: Place, rules: string): Promise<Saker> {
  return Saker.start([place.marker], {
    args: [
      ...["-r", rules, "-o", "rule_matching=all"],
      ...["-o", "append_output[]={extra_fields: [proc.exepath]}"],
    ],
  });
}

/** Runs the case, and waits until its alerts hold what is to be there. */
async function alertsOf(
  name: string,
  rules: (place: Place) => string,
  isThere: (alerts: readonly Alert[]) => boolean,
  check: (alerts: readonly Alert[], saker: Saker) => void | Promise<void>,
): Promise<void> {
  await using place = new Place();
  const program = await compiledCase(place, name);
  await using saker = await watching(place, rules(place));
  const { code, stderr } = await run(program, []);
  assertEquals(code, 0, stderr);
  const alerts = await eventually(`the alerts of ${name}`, () => {
    const seen = saker.alertsWith(program);
    return isThere(seen) ? seen : undefined;
  });
  await check(alerts, saker);
}

function onCase(name: string, what: string, fn: () => Promise<void>): void {
  const ignore = !isRoot() || !has("cc") || !isFile(`${CASES}${name}/${name}.c`);
  Deno.test({ name: `${name}: ${what}`, ignore, fn });
}

/** One rule on all that the case's program does. */
function ruleOn(types: string, output: string) {
  return (place: Place): string => {
    const condition = `evt.type in (${types}) and proc.exepath startswith ${place.path}/`;
    const rule = { rule: "Told", desc: "d", condition, output, priority: "NOTICE" };
    Deno.writeTextFileSync(place.file("rules.yaml"), JSON.stringify([rule]));
    return place.file("rules.yaml");
  };
}

const of = (alerts: readonly Alert[], rule: string) =>
  alerts.filter((alert) => alert.rule === rule).map((alert) => alert.output_fields);

onCase("lc_stalefd", "a number that comes again by SCM_RIGHTS is what it is now", () =>
  alertsOf(
    "lc_stalefd",
    () => `${CASES}rules-dup.yaml`,
    (alerts) => of(alerts, "DUP").length >= 3,
    (alerts) => {
      const connection = /^127\.0\.0\.1:\d+->127\.0\.0\.1:9195$/;
      const shells = of(alerts, "REVSHELL").map((fields) => String(fields["fd.name"]));
      assertEquals(shells.length, 2);
      assert(shells.every((name) => connection.test(name)), shells.join());
      const { "fd.name": name, "fd.type": type } = of(alerts, "DUP").at(-1)!;
      assertEquals([String(name).startsWith("/tmp/lcstale"), type], [true, "file"]);
    },
  ));

/** By rule, the calls of the case that it is about. */
const GENERIC: Readonly<Record<string, readonly string[]>> = {
  "G mprotect wx": ["mprotect"],
  "G mmap exec of a file": ["mmap"],
  "G process_vm_writev": ["process_vm_writev"],
  "G copy": ["sendfile", "splice", "copy_file_range"],
  "G write": ["write", "pwrite"],
  "G io write": ["write", "pwrite"],
  "G pread": ["pread"],
};

/** Whether the probe fills one of the calls. */
function isFilled(calls: readonly string[]): boolean {
  return EVENTS.some(({ name, code, kind }) =>
    calls.includes(name) && kind.includes("syscall") && code % 2 === 1 && !UNFILLED.has(code)
  );
}

onCase("lc_generic", "a rule on each of the calls fires, or is told to be dead", () => {
  const rules = Object.entries(GENERIC);
  const alive = rules.filter(([, calls]) => isFilled(calls)).map(([rule]) => rule);
  const dead = rules.filter(([, calls]) => !isFilled(calls)).map(([rule]) => rule);
  return alertsOf(
    "lc_generic",
    () => `${CASES}rules3.yaml`,
    (alerts) => alive.every((rule) => of(alerts, rule).length > 0),
    async (_, saker) => {
      const told = (await saker.health())!.body.dead_rules as { rule: string }[];
      for (const rule of dead) assert(told.some((one) => one.rule === rule), rule);
    },
  );
});

/** Changes below `protected/` that the case makes, by call. */
const CHANGES: Readonly<Record<string, number>> = {
  chmod: 4,
  fchmodat: 1,
  chown: 1,
  truncate: 1,
  rename: 2,
  symlink: 1,
  link: 1,
  unlink: 3,
  mkdir: 1,
  rmdir: 1,
};

onCase("lc_pathops", "each change below a directory is told by the real path", () => {
  const count = (alerts: readonly Alert[], type: string) =>
    of(alerts, "G changed below protected").filter((fields) => fields["evt.type"] === type);
  return alertsOf(
    "lc_pathops",
    () => `${CASES}rules3.yaml`,
    (alerts) => Object.entries(CHANGES).every(([type, n]) => count(alerts, type).length >= n),
    (alerts) => {
      const real = /^\/tmp\/lcpath\w{6}\/protected\//;
      for (const fields of of(alerts, "G changed below protected")) {
        const paths = ["name", "source", "target"].map((path) => String(fields[`fs.path.${path}`]));
        assert(paths.some((path) => real.test(path)), `${fields["evt.type"]} ${paths}`);
      }
    },
  );
});

onCase("lc_abstract", "unix sockets have their names by their length", () =>
  alertsOf(
    "lc_abstract",
    ruleOn("bind, connect, accept4", "%evt.type %fd.name"),
    (alerts) => alerts.filter(({ output }) => / accept4 /.test(output)).length >= 4,
    (alerts) => {
      const named = (type: string) =>
        of(alerts, "Told").filter((fields) => fields["evt.type"] === type)
          .map((fields) => String(fields["fd.name"]).replace(/^[0-9a-f]+->[0-9a-f]+ /, ""));
      const names = ["@lc-abs", '@lc@b\n"\u001b\ufffd@', "rel.sock", "p".repeat(108)];
      for (const type of ["bind", "connect", "accept4"]) assertEquals(named(type), names, type);
    },
  ));

onCase(
  "lc_link",
  "links name the file that they are made of, opens read as what they are",
  () =>
    alertsOf(
      "lc_link",
      ruleOn(
        "open, openat, linkat, renameat2",
        "%evt.type %evt.arg.flags %fd.type %fd.name %fs.path.source %fs.path.target " +
          "%evt.is_open_create %evt.is_open_read %evt.is_open_write",
      ),
      (alerts) => alerts.some(({ output }) => /O_TRUNC/.test(output)),
      (alerts) => {
        const told = of(alerts, "Told");
        const file = (path: unknown) => String(path).split("/").at(-1)!;
        const links = told.filter((fields) => fields["evt.type"] === "linkat")
          .map((fields) => [file(fields["fs.path.source"]), file(fields["fs.path.target"])]);
        assertEquals(links.map(([made]) => made), ["named", "named2", "alias"]);
        // What has no name yet is known by its inode.
        assert(/^#\d+$/.test(links[0]![1]!) && links[1]![1] === links[0]![1], links.join());
        assertEquals(links[2]![1], "secret");
        const open = (flags: string, name: RegExp) => {
          const fields = told.find((one) =>
            one["evt.arg.flags"] === flags && name.test(String(one["fd.name"]))
          )!;
          const does = ["create", "read", "write"].map((what) => fields[`evt.is_open_${what}`]);
          return [fields["fd.type"], ...does];
        };
        assertEquals(open("O_RDWR|O_TMPFILE", /#\d+$/), ["file", true, true, true]);
        assertEquals(open("O_RDONLY", /^\/etc\/shadow$/), ["file", false, true, false]);
        assertEquals(open("O_NONE", /alias$/), ["file", false, false, false]);
        assertEquals(open("O_TRUNC|O_RDONLY", /alias$/), ["file", false, true, true]);
      },
    ),
);
