// Calls that change names, on the built binary: a file that is reached through a link is told by
// the name that the caller used and by the one that the kernel acted on, whichever a rule asks for.
import { assert, assertEquals } from "./expect.ts";
import { type Alert, eventually, Saker } from "./saker.ts";
import { covered, isRoot, Place, python, shell, triggersOf } from "./trigger.ts";

interface Call {
  /** As `evt.type` has it. */
  readonly name: string;
  readonly number: number;
  /** Its arguments in Python: `b(…)` is a path below the link, `d` a descriptor of the link. */
  readonly call: string;
  /** Fields that name what it acted on, below the directory. */
  readonly paths: Readonly<Record<string, string>>;
  readonly before?: string;
}

const NAME = "fs.path.name";
const SOURCE = "fs.path.source";
const TARGET = "fs.path.target";
const FILE = `open(p("f"), "w").close()`;

/** The numbers are those of x86_64. */
const CALLS: readonly Call[] = [
  { name: "mkdir", number: 83, call: `b("m1"), 0o755`, paths: { [NAME]: "m1" } },
  { name: "mkdirat", number: 258, call: `d, b"m2", 0o755`, paths: { [NAME]: "m2" } },
  {
    name: "rmdir",
    number: 84,
    call: `b("r")`,
    paths: { [NAME]: "r" },
    before: `os.mkdir(p("r"))`,
  },
  { name: "unlink", number: 87, call: `b("f")`, paths: { [NAME]: "f" }, before: FILE },
  { name: "unlinkat", number: 263, call: `d, b"f", 0`, paths: { [NAME]: "f" }, before: FILE },
  { name: "chmod", number: 90, call: `b("f"), 0o600`, paths: { [NAME]: "f" }, before: FILE },
  { name: "fchmodat", number: 268, call: `d, b"f", 0o600`, paths: { [NAME]: "f" }, before: FILE },
  { name: "chown", number: 92, call: `b("f"), 0, 0`, paths: { [NAME]: "f" }, before: FILE },
  { name: "lchown", number: 94, call: `b("f"), 0, 0`, paths: { [NAME]: "f" }, before: FILE },
  { name: "fchownat", number: 260, call: `d, b"f", 0, 0, 0`, paths: { [NAME]: "f" }, before: FILE },
  {
    name: "rename",
    number: 82,
    call: `b("f"), b("n1")`,
    paths: { [SOURCE]: "f", [TARGET]: "n1" },
    before: FILE,
  },
  {
    name: "renameat",
    number: 264,
    call: `d, b"f", d, b"n2"`,
    paths: { [SOURCE]: "f", [TARGET]: "n2" },
    before: FILE,
  },
  {
    name: "renameat2",
    number: 316,
    call: `d, b"f", -100, b("n3"), 0`,
    paths: { [SOURCE]: "f", [TARGET]: "n3" },
    before: FILE,
  },
  {
    name: "link",
    number: 86,
    call: `b("f"), b("l1")`,
    paths: { [TARGET]: "f", [SOURCE]: "l1" },
    before: FILE,
  },
  {
    name: "linkat",
    number: 265,
    call: `d, b"f", d, b"l2", 0`,
    paths: { [TARGET]: "f", [SOURCE]: "l2" },
    before: FILE,
  },
  { name: "symlink", number: 88, call: `b"x", b("s1")`, paths: { [TARGET]: "x", [SOURCE]: "s1" } },
  {
    name: "symlinkat",
    number: 266,
    call: `b"x", d, b"s2"`,
    paths: { [TARGET]: "x", [SOURCE]: "s2" },
  },
];

const SCRIPT = `import ctypes, os, sys
link = sys.argv[2] + "/link"
def p(name): return link + "/" + name
def b(name): return p(name).encode()
d = os.open(link, os.O_RDONLY)
`;

/** Two rules a call: one asks for what the caller said, one for what the kernel did. */
async function start(place: Place): Promise<Saker> {
  const fields = [NAME, SOURCE, TARGET];
  const below = (directory: string) =>
    fields.map((field) => `${field} startswith ${place.path}/${directory}/`).join(" or ");
  const types = [...CALLS.map(({ name }) => name), "mount", "umount2"].join(", ");
  const rules = [["said", "link"], ["did", "real"]].map(([rule, directory]) => ({
    rule,
    condition: `evt.type in (${types}) and ${triggersOf(place.marker)} and ` +
      `(${below(directory!)})`,
    desc: rule,
    priority: "NOTICE",
    output: `%evt.type ${fields.map((field) => `%${field}`).join(" ")} %proc.cmdline`,
  }));
  Deno.writeTextFileSync(place.file("rules.yaml"), JSON.stringify(rules));
  return await Saker.start([place.marker], {
    args: ["-r", place.file("rules.yaml"), "-o", "rule_matching=all"],
  });
}

async function of(saker: Saker, rule: string, type: string, marker: string): Promise<Alert> {
  // What is done before a call has alerts of the same rule.
  const alerts = await eventually(`an alert of "${rule}" on ${type}`, () => {
    const seen = saker.alertsWith(marker).filter((alert) =>
      alert.rule === rule && alert.output_fields["evt.type"] === type
    );
    return seen.length > 0 ? seen : undefined;
  });
  assertEquals(alerts.length, 1, `alerts of "${rule}" on ${type}`);
  return alerts[0]!;
}

Deno.test({
  name: "a call that changes names is told by both, whichever a rule asks for",
  ignore: !isRoot() || Deno.build.arch !== "x86_64",
  async fn(t) {
    await using place = new Place();
    await shell(place.mark("prepare"), `mkdir "$1/real"; ln -s real "$1/link"`, [place.path]);
    await using saker = await start(place);
    for (const [index, { name, number, call, paths, before = "" }] of CALLS.entries()) {
      await t.step(name, async () => {
        const marker = place.mark(`${index}x`);
        await python(
          marker,
          `${SCRIPT}${before}\nassert ctypes.CDLL(None).syscall(${number}, ${call}) == 0`,
          [place.path],
        );
        const said = await of(saker, "said", name, marker);
        const did = await of(saker, "did", name, marker);
        assertEquals(said.output_fields["evt.view"], "caller");
        assertEquals(did.output_fields["evt.view"], "kernel");
        for (const [field, path] of Object.entries(paths)) {
          const names = [`${place.path}/link/${path}`, `${place.path}/real/${path}`];
          const told = [field, `${field}.other`];
          assertEquals(told.map((key) => said.output_fields[key]), names, `${name}: said`);
          assertEquals(told.map((key) => did.output_fields[key]), names.toReversed(), name);
        }
      });
    }
  },
});

Deno.test({
  name: "a mount is told by both names of the places that it binds",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    await shell(place.mark("prepare"), `mkdir "$1/real"; ln -s real "$1/link"`, [place.path]);
    await using saker = await start(place);
    const marker = place.mark("mount");
    await covered(
      marker,
      `${place.path}/real`,
      `mkdir ${place.path}/real/a ${place.path}/real/b
python3 -c 'import ctypes, sys
c = ctypes.CDLL(None)
a, b = (sys.argv[1] + "/link/" + name for name in "ab")
assert c.mount(a.encode(), b.encode(), None, 4096, None) == 0
assert c.umount2(b.encode(), 2) == 0' ${place.path} "$0"`,
    );
    const said = await of(saker, "said", "mount", marker);
    assertEquals(said.output_fields[SOURCE], `${place.path}/link/a`);
    assertEquals(said.output_fields[`${SOURCE}.other`], `${place.path}/real/a`);
    const did = await of(saker, "did", "mount", marker);
    assertEquals(did.output_fields[TARGET], `${place.path}/real/b`);
    assertEquals(did.output_fields[`${TARGET}.other`], `${place.path}/link/b`);
    const removed = await of(saker, "did", "umount2", marker);
    assert(removed.output_fields[`${NAME}.other`] === `${place.path}/link/b`);
  },
});
