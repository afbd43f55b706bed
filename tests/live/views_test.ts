// Official conditions that name what a program says, on the built binary: events whose two paths
// differ are judged under both, and the alert tells both.
import { assert, assertEquals } from "./expect.ts";
import { type Alert, Saker } from "./saker.ts";
import { isRoot, Place, python, run, shell } from "./trigger.ts";

const OPENED = "evt.type in (open, openat, openat2) and fd.typechar='f' and fd.num>=0";

/** By name: conditions as Falco's official rules have them, without what needs a container. */
function conditions(place: Place): Readonly<Record<string, string>> {
  return {
    "Descriptor written by its link":
      `${OPENED} and evt.is_open_write=true and (fd.name=/proc/self/exe or ` +
      "fd.name startswith /proc/self/fd/)",
    "Own program": `${OPENED} and fd.name=/proc/self/exe`,
    "Descriptor directory": `${OPENED} and fd.name startswith /dev/fd/`,
    "Below var run": `${OPENED} and fd.name startswith /var/run/`,
    "Below bin": `${OPENED} and fd.name startswith /bin/`,
    "Local time": `${OPENED} and fd.name=/etc/localtime`,
    "Alternative": `${OPENED} and fd.directory=${place.path}/alternatives`,
    "Protected": `${OPENED} and fd.name startswith ${place.path}/protected/ and ` +
      `not fd.name startswith ${place.path}/protected/allowed/`,
    "Link executed": `evt.type=execve and proc.exepath startswith ${place.path}/`,
    "Went by a link": `evt.type=chdir and proc.cwd=${place.path}/link/`,
    "Relative below a link": `${OPENED} and fd.name=${place.path}/link/file`,
    "Below a link by a descriptor": `${OPENED} and fd.name=${place.path}/link/below`,
    "Used later": `evt.type=fchmod and fd.name=${place.path}/link/file`,
    "Failed below a link": "evt.type in (open, openat) and evt.rawres<0 and " +
      `fd.name=${place.path}/link/none`,
    "Both": `${OPENED} and fd.name=${place.path}/real/file`,
  };
}

/** Starts saker with these rules, which match by `engine.paths`. */
function start(place: Place, paths?: string): Promise<Saker> {
  const file = place.file("rules.yaml");
  const rules = Object.entries(conditions(place)).map(([rule, condition]) => ({
    rule,
    condition,
    desc: rule,
    priority: "NOTICE",
    output: "file=%fd.name raw=%fd.nameraw program=%proc.exepath cwd=%proc.cwd %proc.cmdline",
  }));
  Deno.writeTextFileSync(file, JSON.stringify(rules));
  return Saker.start([place.marker], {
    args: [
      ...["-r", file, "-o", "rule_matching=all"],
      ...paths === undefined ? [] : ["-o", `engine.paths=${paths}`],
    ],
  });
}

interface Case {
  readonly rule: string;
  readonly act: (marker: string, place: Place) => Promise<unknown>;
  /** The field that the views differ in, and its values. */
  readonly field?: string;
  readonly said: (place: Place) => string;
  readonly did: (place: Place) => string;
  readonly without?: () => boolean;
}

/** Where a path leads. */
const real = (path: string) => Deno.realPathSync(path);
const isLink = (path: string) => Deno.lstatSync(path).isSymlink;

const CASES: readonly Case[] = [
  {
    rule: "Descriptor written by its link",
    act: (marker, place) =>
      shell(marker, `exec 3> "$1/real/file"; echo x > /proc/self/fd/3`, [place.path]),
    said: () => "/proc/self/fd/3",
    did: (place) => `${place.path}/real/file`,
  },
  {
    rule: "Own program",
    act: (marker) => shell(marker, "exec 3< /proc/self/exe"),
    said: () => "/proc/self/exe",
    did: () => real("/bin/sh"),
  },
  {
    rule: "Descriptor directory",
    act: (marker, place) => shell(marker, `exec 3> "$1/real/file"; : < /dev/fd/3`, [place.path]),
    said: () => "/dev/fd/3",
    did: (place) => `${place.path}/real/file`,
  },
  {
    rule: "Below var run",
    act: (marker) => shell(marker, `: > "/var/run/$0" && rm "/var/run/$0"`),
    said: (place) => `/var/run/${place.mark("3x")}`,
    did: (place) => `${real("/var/run")}/${place.mark("3x")}`,
    without: () => !isLink("/var/run"),
  },
  {
    rule: "Below bin",
    act: (marker) => shell(marker, "exec 3< /bin/true"),
    said: () => "/bin/true",
    did: () => real("/bin/true"),
    without: () => !isLink("/bin"),
  },
  {
    rule: "Alternative",
    act: (marker, place) =>
      shell(
        marker,
        `mkdir "$1/alternatives"; ln -s ../real/file "$1/alternatives/editor"
: < "$1/alternatives/editor"`,
        [place.path],
      ),
    said: (place) => `${place.path}/alternatives/editor`,
    did: (place) => `${place.path}/real/file`,
  },
  {
    rule: "Local time",
    act: (marker) => shell(marker, "exec 3< /etc/localtime"),
    said: () => "/etc/localtime",
    did: () => real("/etc/localtime"),
    without: () => !isLink("/etc/localtime"),
  },
  {
    rule: "Link executed",
    act: (marker, place) =>
      shell(marker, `ln -s /usr/bin/env "$1/run"; "$1/run" true "$0"`, [place.path]),
    field: "proc.exepath",
    said: (place) => `${place.path}/run`,
    did: () => real("/usr/bin/env"),
  },
  {
    rule: "Link executed",
    act: (marker, place) =>
      shell(marker, `printf '#!/bin/sh\\n' > "$1/script"; chmod +x "$1/script"; "$1/script" "$0"`, [
        place.path,
      ]),
    field: "proc.exepath",
    said: (place) => `${place.path}/script`,
    did: () => real("/bin/sh"),
  },
  {
    rule: "Went by a link",
    act: (marker, place) =>
      python(marker, `import os, sys; os.chdir(sys.argv[2] + "/link")`, [place.path]),
    field: "proc.cwd",
    said: (place) => `${place.path}/link/`,
    did: (place) => `${place.path}/real/`,
  },
  {
    rule: "Relative below a link",
    act: (marker, place) =>
      python(marker, `import os, sys; os.chdir(sys.argv[2] + "/link"); open("./file")`, [
        place.path,
      ]),
    said: (place) => `${place.path}/link/file`,
    did: (place) => `${place.path}/real/file`,
  },
  {
    rule: "Below a link by a descriptor",
    act: (marker, place) =>
      python(
        marker,
        `import os, sys
d = os.open(sys.argv[2] + "/link", os.O_RDONLY)
os.open("below", os.O_WRONLY | os.O_CREAT, dir_fd=d)`,
        [place.path],
      ),
    said: (place) => `${place.path}/link/below`,
    did: (place) => `${place.path}/real/below`,
  },
  {
    rule: "Used later",
    act: (marker, place) =>
      python(
        marker,
        `import os, sys
f = os.open(sys.argv[2] + "/link/file", os.O_RDONLY)
os.fchmod(os.dup(f), 0o600)`,
        [place.path],
      ),
    said: (place) => `${place.path}/link/file`,
    did: (place) => `${place.path}/real/file`,
  },
  {
    rule: "Failed below a link",
    act: (marker, place) =>
      python(
        marker,
        `import os, sys
os.chdir(sys.argv[2] + "/link")
try: open("none")
except FileNotFoundError: pass`,
        [place.path],
      ),
    said: (place) => `${place.path}/link/none`,
    did: (place) => `${place.path}/real/none`,
  },
];

async function prepare(place: Place): Promise<void> {
  await shell(
    place.mark("prepare"),
    `cd "$1"; mkdir real protected protected/allowed; : > real/file; : > protected/secret
ln -s real link; ln -s ../secret protected/allowed/link; ln -s protected/secret outside
ln -s allowed/open protected/inward; : > protected/allowed/open`,
    [place.path],
  );
}

/** The alerts of one rule for one step. */
function of(saker: Saker, rule: string, marker: string): Alert[] {
  return saker.alertsWith(marker).filter((alert) => alert.rule === rule);
}

Deno.test({
  name: "a rule on what a program says matches, and its alert tells the kernel's path too",
  ignore: !isRoot(),
  async fn(t) {
    await using place = new Place();
    await prepare(place);
    await using saker = await start(place);
    for (const [index, { rule, act, field = "fd.name", said, did, without }] of CASES.entries()) {
      await t.step({
        name: rule,
        ignore: without?.() === true,
        async fn() {
          const marker = place.mark(`${index}x`);
          await act(marker, place);
          const { output_fields } = await saker.alert(rule, marker);
          assertEquals(output_fields[field], said(place));
          assertEquals(output_fields[`${field}.other`], did(place));
          assertEquals(output_fields["evt.view"], "caller");
        },
      });
    }
    for (const [index, { rule, without }] of CASES.entries()) {
      if (without?.() === true) continue;
      const alerts = of(saker, rule, place.mark(`${index}x`));
      assertEquals(alerts.length, 1, `one alert an event and rule: ${rule}`);
    }
  },
});

Deno.test({
  name: "neither a link nor an exception's prefix hides a file",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    await prepare(place);
    await using saker = await start(place);
    const read = (marker: string, name: string) =>
      shell(place.mark(marker), `: < "$1/${name}"`, [place.path]);
    await read("inside", "protected/allowed/link");
    await read("outside", "outside");
    await read("inward", "protected/inward");
    await read("allowed", "protected/allowed/open");
    await read("last", "real/file");
    const seen = async (marker: string) => (await saker.alert("Protected", place.mark(marker)));
    assertEquals((await seen("inside")).output_fields["fd.name"], `${place.path}/protected/secret`);
    assertEquals((await seen("outside")).output_fields["fd.name.other"], `${place.path}/outside`);
    assertEquals((await seen("inward")).output_fields["evt.view"], "caller");
    await saker.alert("Both", place.mark("last"));
    assertEquals(of(saker, "Protected", place.mark("allowed")).length, 0);
  },
});

Deno.test({
  name: "engine.paths chooses the view that alone counts",
  ignore: !isRoot(),
  async fn(t) {
    for (
      const [paths, seen] of [["kernel", "Both"], ["caller", "Relative below a link"]] as const
    ) {
      await t.step(paths, async () => {
        await using place = new Place();
        await prepare(place);
        await using saker = await start(place, paths);
        const marker = place.mark("x");
        await python(marker, `import os, sys; os.chdir(sys.argv[2] + "/link"); open("file")`, [
          place.path,
        ]);
        const { output_fields } = await saker.alert(seen, marker);
        assert(!("evt.view" in output_fields), "there is one view");
        // What comes behind would have brought the other's alert.
        await run("/bin/sh", ["-c", ": < real/file", place.mark("last")], place.path);
        await saker.alert("Both", place.mark("last"));
        const rules = saker.alertsWith(marker).map(({ rule }) => rule);
        assertEquals(rules.filter((rule) => /^(Both|Relative)/.test(rule)), [seen]);
      });
    }
  },
});
