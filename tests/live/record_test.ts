// Recording this host: what happens while `saker record` runs gives the same alerts when the
// recording is replayed, and an alert's capture holds what was before it.
import { writeCapture } from "../capture_file.ts";
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { recorded } from "./recording.ts";
import { eventually, runSaker, SAKER, Saker } from "./saker.ts";
import { isRoot, ownMounts, Place, run, shell } from "./trigger.ts";

/** Rules that say much of what a place's own programs do, and of nothing else. */
function rulesOf(place: Place): string {
  const rules = [
    {
      rule: "Opened",
      condition: `evt.type in (open, openat, openat2, creat) and fd.name startswith ${place.path}/`,
      output:
        "%evt.time %fd.name %fd.nameraw %evt.arg.flags %evt.res %proc.cmdline %proc.pcmdline " +
        "%proc.aname[2] %proc.cwd %proc.exepath %proc.sid %user.name %thread.tid %fd.ino",
      capture: false,
    },
    {
      rule: "Executed",
      condition: `evt.type in (execve, execveat) and proc.args contains ${place.marker}`,
      output: "%evt.time %proc.exepath %proc.cmdline %proc.pid %proc.ppid %proc.is_exe_writable",
      capture: false,
    },
    {
      rule: "Moved or removed",
      condition:
        `evt.type in (rename, renameat, renameat2, unlink, unlinkat, symlink, symlinkat) ` +
        `and proc.args contains ${place.marker}`,
      output: "%evt.time %evt.type %fs.path.name %fs.path.source %fs.path.target %proc.cmdline",
      capture: false,
    },
    {
      rule: "Wanted",
      condition: `evt.type in (open, openat) and fd.name = ${place.path}/wanted`,
      output: "%fd.name",
      capture: true,
    },
  ];
  const file = place.file("rules.yaml");
  // JSON is YAML.
  Deno.writeTextFileSync(
    file,
    JSON.stringify(rules.map((rule) => ({ ...rule, desc: rule.rule, priority: "NOTICE" }))),
  );
  return file;
}

/** What the trigger does: files by several names, moved and removed, by several programs. */
const ACTS = `cd "$1"
mkdir d
for name in a b c; do
  echo text > d/$name
  cat d/$name > /dev/null
  ln -s d/$name l$name
  ( cd d; exec cat ../l$name "$0" 2> /dev/null ) > /dev/null
  mv d/$name "d/$name-$0"
  rm l$name
done
cat nothing 2> /dev/null
exec cat "d/a-$0" > /dev/null`;

/** Alerts without what differs between two looks at the same events. */
function outputs(json: string, place: Place): string[] {
  return json.split("\n").filter((line) => line.includes(place.marker));
}

Deno.test({
  name: "a recording gives the alerts that there were while it was made",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const rules = rulesOf(place);
    const capture = place.file("trace.scap");
    const alerts = ["-r", rules, "-o", "json_output=true", "-o", "rule_matching=all"];
    const { code, stdout, told } = await recorded(
      capture,
      alerts,
      () => shell(place.marker, ACTS, [place.path]),
    );
    assertEquals(code, 0, told.join("\n"));
    assert(/^Recorded \d+ events, .* \d+ lost$/.test(told.at(-1)!), told.at(-1));

    const live = outputs(stdout, place);
    const replayed = await runSaker([...alerts, "replay", capture]);
    assertEquals(replayed.code, 0, replayed.stderr);
    assert(live.length > 30, `${live.length} alerts`);
    assertEquals(outputs(replayed.stdout, place), live);
    assertEquals(Deno.statSync(capture).mode! & 0o777, 0o600);
  },
});

Deno.test({
  name: "a row of recordings is bounded, and each of them stands alone",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const recording = new Deno.Command(SAKER, {
      args: ["record", place.file("r.scap"), "--file-seconds", "1", "--files", "2"],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const told = new Response(recording.stderr).text();
    // A file ends with an event after its time, and a quiet machine has none by itself.
    const seen = new Set<string>();
    await eventually("the third file of the row", async () => {
      await shell(place.marker, "true");
      for (const { name } of Deno.readDirSync(place.path)) seen.add(name);
      return seen.size > 2 ? seen : undefined;
    });
    recording.kill("SIGINT");
    const { code } = await recording.status;
    assertEquals(code, 0, await told);
    const names = [...Deno.readDirSync(place.path)].map(({ name }) => name).sort();
    assertEquals(names.length, 2);
    for (const name of names) {
      const replayed = await runSaker(["-r", rulesOf(place), "replay", place.file(name)]);
      assertEquals(replayed.code, 0, replayed.stderr);
      assertIncludes(replayed.stderr, "malformed: 0");
    }
  },
});

Deno.test({
  name: "an alert's capture holds what was before it",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const rules = rulesOf(place);
    const saker = await Saker.start([place.marker], {
      args: [
        ...["-r", rules, "-o", "rule_matching=all", "-o", "capture.enabled=true"],
        ...["-o", `capture.path_prefix=${place.file("c")}`, "-o", "capture.default_duration=200"],
      ],
    });
    try {
      await shell(place.marker, ACTS, [place.path]);
      await shell(place.marker, 'echo > "$1/wanted"', [place.path]);
      await saker.alert("Wanted", place.marker);
    } finally {
      const { stderr } = await saker.stop();
      assert(!stderr.includes("Cannot write"), stderr);
    }
    const captures = [...Deno.readDirSync(place.path)].map(({ name }) => name)
      .filter((name) => /^c_\d{20}_\d{20}\.scap$/.test(name));
    assertEquals(captures.length, 1);
    const replayed = await runSaker([
      ...["-r", rules, "-o", "rule_matching=all", "-o", "json_output=true"],
      ...["replay", place.file(captures[0]!)],
    ]);
    assertEquals(replayed.code, 0, replayed.stderr);
    const before = outputs(replayed.stdout, place).filter((line) =>
      line.includes(`${place.path}/d/a `) || line.includes('"Moved or removed"')
    );
    assert(before.length >= 4, `${before.length} alerts of what was before`);
  },
});

Deno.test({
  name: "a full disk ends a recording with one line, and what is there can be replayed",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const given = place.file("given.scap");
    writeCapture(
      given,
      Array.from({ length: 40_000 }, (_, at) => ({ path: `${place.path}/${at}`, tid: 100 + at })),
    );
    // A small file system that only this shell sees; what fits on it is taken out of it.
    const script = `mount -t tmpfs -o size=1m none "$1/small" &&
      { "$2" record "$1/small/r.scap" --compress 0 --read "$1/given.scap" 2> "$1/told"; echo $?
        cp "$1/small/r.scap" "$1/kept.scap"; }`;
    Deno.mkdirSync(place.file("small"));
    const { stdout } = await run("unshare", [
      ...[...await ownMounts(), "/bin/sh", "-c", script, place.marker],
      ...[place.path, SAKER],
    ]);
    assertEquals(stdout, "1\n");
    assertEquals(
      Deno.readTextFileSync(place.file("told")),
      `Error: Cannot write capture "${place.path}/small/r.scap": no space is left on the device\n`,
    );
    const replayed = await runSaker(["-r", rulesOf(place), "replay", place.file("kept.scap")]);
    assertEquals(replayed.code, 0, replayed.stderr);
    const events = Number(/System call events: (\d+)/.exec(replayed.stderr)![1]);
    assert(events > 1_000 && events < 40_000, `${events} events`);
  },
});
