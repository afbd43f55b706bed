// A descriptor is what the kernel says it is: a number that is used again by something that no
// event tells of shows neither the name nor the type of what was there before.
import { assert, assertEquals } from "./expect.ts";
import { type Alert, Saker } from "./saker.ts";
import { compiled, has, isRoot, Place, run, triggersOf } from "./trigger.ts";

const SHELL = "Standard stream of a network connection";
const USED = "Descriptor used";

/** Rules on the marker's processes alone. */
function rules(marker: string): string {
  const output = "%evt.type %evt.rawres %fd.num %fd.type %fd.name %fd.nameraw %proc.cwd " +
    "%fs.path.name %proc.cmdline";
  const rule = (name: string, condition: string) => ({
    rule: name,
    desc: name,
    condition: `${condition} and ${triggersOf(marker)}`,
    output,
    priority: "NOTICE",
  });
  return JSON.stringify([
    rule(
      SHELL,
      'evt.type in (dup, dup2, dup3) and evt.rawres in (0, 1, 2) and fd.type in ("ipv4", "ipv6")',
    ),
    rule(USED, "evt.type in (dup2, fchmod, fchdir, mkdirat, chdir)"),
  ]);
}

interface Reuse {
  readonly way: string;
  /** Alerts' fields by rule and call, in order. */
  readonly used: readonly { readonly type: string; readonly name: string | null }[];
  readonly isShell: boolean;
}

/** What the number is; `PLACE` stands for the test's own file. */
const WAYS: readonly Reuse[] = [
  {
    way: "socket",
    isShell: true,
    used: [{ type: "ipv4", name: "CONNECTION" }, { type: "ipv4", name: "CONNECTION" }],
  },
  {
    way: "file",
    isShell: false,
    used: [{ type: "file", name: "PLACE" }, { type: "file", name: "PLACE" }],
  },
  { way: "nothing", isShell: false, used: [{ type: "<NA>", name: "" }] },
  { way: "fsopen", isShell: false, used: [{ type: "unsupported", name: "[fscontext]" }] },
  { way: "open_tree", isShell: false, used: [{ type: "directory", name: "/usr" }] },
  { way: "fanotify_init", isShell: false, used: [{ type: "unsupported", name: "[fanotify]" }] },
  { way: "memfd_secret", isShell: false, used: [{ type: "file", name: "secretmem" }] },
  { way: "landlock", isShell: false, used: [{ type: "unsupported", name: "[landlock-ruleset]" }] },
  { way: "bpf", isShell: false, used: [{ type: "bpf", name: "" }] },
  { way: "perf_event_open", isShell: false, used: [{ type: "unsupported", name: "[perf_event]" }] },
];

const UNSUPPORTED = 77;

/** The fields of the alerts of a rule, in the order of the calls. */
function fieldsOf(alerts: readonly Alert[], rule: string): Alert["output_fields"][] {
  return alerts.filter((alert) => alert.rule === rule).map((alert) => alert.output_fields);
}

Deno.test({
  name: "a number that is used again shows what it is now",
  ignore: !isRoot() || !has("cc"),
  async fn(t) {
    await using place = new Place();
    const program = await compiled(place, "reuse");
    const file = place.file("own");
    await Deno.writeTextFile(file, "");
    await Deno.writeTextFile(place.file("rules.yaml"), rules(place.marker));
    await using saker = await Saker.start([place.marker], {
      args: ["-r", place.file("rules.yaml"), "-o", "rule_matching=all"],
    });
    for (const { way, used, isShell } of WAYS) {
      await t.step(way, async () => {
        const marker = place.mark(way);
        const { code, stderr } = await run(program, [way, file, marker]);
        // This kernel, or what the tests run in, has no such call.
        if (code === UNSUPPORTED) return;
        assertEquals(code, 0, stderr);
        // When the last call's alert is there, those of the calls before it are too.
        await last(saker, program, file, place.mark(`${way}-last`));
        const alerts = saker.alertsWith(marker).filter(({ output_fields }) =>
          String(output_fields["proc.cmdline"]).endsWith(marker)
        );
        const shown = fieldsOf(alerts, USED).map((fields) => ({
          type: fields["fd.type"],
          name: fields["fd.name"],
        }));
        assertEquals(shown.length, used.length);
        for (const [index, { type, name }] of used.entries()) {
          assertEquals(shown[index]!.type ?? "<NA>", type);
          if (name === "CONNECTION") {
            assert(/^127\.0\.0\.1:\d+->127\.0\.0\.1:\d+$/.test(String(shown[index]!.name)));
          } else assertEquals(shown[index]!.name ?? "", name === "PLACE" ? file : name);
        }
        assertEquals(fieldsOf(alerts, SHELL).length, isShell ? 2 : 0);
      });
    }
  },
});

/** Makes an alert and waits for it. */
async function last(saker: Saker, program: string, file: string, marker: string): Promise<void> {
  await run(program, ["nothing", file, marker]);
  await saker.alert(USED, marker);
}

Deno.test({
  name: "a working directory and relative names do not come from a number that is stale",
  ignore: !isRoot() || !has("cc"),
  async fn() {
    await using place = new Place();
    const program = await compiled(place, "reuse");
    await Deno.writeTextFile(place.file("rules.yaml"), rules(place.marker));
    await using saker = await Saker.start([place.marker], {
      args: ["-r", place.file("rules.yaml"), "-o", "rule_matching=all"],
    });
    const directory = place.marker;
    const { code, stderr } = await run(program, ["directory", directory, place.marker]);
    try {
      assertEquals(code, 0, stderr);
    } finally {
      await Deno.remove(`/usr/bin/${directory}`);
    }
    await saker.alert(USED, place.marker);
    await last(saker, program, place.file("rules.yaml"), place.mark("last"));
    const [moved, made, after] = fieldsOf(saker.alertsWith(place.marker), USED);
    assertEquals([moved!["fd.name"], moved!["proc.cwd"]], ["/usr/bin", "/usr/bin/"]);
    assertEquals(made!["fs.path.name"], `/usr/bin/${directory}`);
    assertEquals(after!["proc.cwd"], "/usr/bin/");
  },
});
