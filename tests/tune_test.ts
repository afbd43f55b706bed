// `saker tune` and `saker rules test --from-alert` as a person uses them: alerts and captures in,
// exceptions and cases out, which saker takes. Needs no root.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { runMain } from "./main_process.ts";
import { captureOf, type Started } from "./tune_captures.ts";

const RULES = `
- rule: Secret read
  desc: d
  condition: evt.type = openat and fd.name in (/etc/shadow, /etc/gshadow)
  output: Secret read (file=%fd.name program=%proc.exepath parent=%proc.pexepath uid=%user.uid)
  priority: WARNING
`;
const CASES = `
cases:
  - name: cat reads shadow
    events:
      - type: openat
        fields: {fd.name: /etc/shadow, proc.exepath: /usr/bin/cat, proc.name: cat}
    fires: [Secret read]
`;

const CRON: readonly Started[] = [
  { pid: 10, parent: 1, exepath: "/usr/lib/systemd/systemd" },
  { pid: 11, parent: 10, exepath: "/usr/sbin/cron" },
];
const ORDINARY: readonly Started[] = [
  ...CRON,
  ...Array.from({ length: 4 }, (_, at): Started => ({
    ...{ pid: 20 + at, parent: 11, exepath: "/usr/sbin/backupd", args: [`--run=${at}`] },
    opens: ["/etc/shadow", "/etc/gshadow", "/etc/hosts"],
  })),
];
const ATTACK: readonly Started[] = [
  ...CRON,
  { pid: 30, parent: 1, exepath: "/usr/sbin/sshd" },
  { pid: 31, parent: 30, exepath: "/usr/bin/bash" },
  { pid: 32, parent: 31, exepath: "/usr/bin/cat", opens: ["/etc/shadow"] },
  { pid: 33, parent: 11, exepath: "/tmp/backupd", opens: ["/etc/shadow"] },
  { pid: 34, parent: 11, exepath: "/usr/sbin/backupd", uid: 1000, opens: ["/etc/shadow"] },
];

class Workplace implements Disposable {
  readonly directory = Deno.makeTempDirSync();
  readonly rules = this.file("rules.yaml", RULES);

  file(name: string, text: string | Uint8Array): string {
    const path = `${this.directory}/${name}`;
    if (typeof text === "string") Deno.writeTextFileSync(path, text);
    else Deno.writeFileSync(path, text);
    return path;
  }

  async gzip(name: string, text: string): Promise<string> {
    const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
    return this.file(name, new Uint8Array(await new Response(stream).arrayBuffer()));
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

/** Comments without their breaks of lines. */
function unwrapped(yaml: string): string {
  return yaml.replaceAll(/\n#\s+/g, " ");
}

async function alertsOf(capture: string, rules: readonly string[]): Promise<string> {
  const { code, out, error } = await runMain([
    "replay",
    capture,
    ...rules.flatMap((one) => ["-r", one]),
  ]);
  strictEqual(code, 0, error);
  return out;
}

Deno.test("saker tune: alerts of a capture become exceptions that hold in a replay", async () => {
  using place = new Workplace();
  place.file("rules_test.yaml", CASES);
  const ordinary = place.file("ordinary.scap", captureOf(ORDINARY));
  const attack = place.file("attack.scap", captureOf(ATTACK));
  const exceptions = `${place.directory}/exceptions.yaml`;
  const { code, out, error } = await runMain([
    ...["tune", ordinary, "-r", place.rules, "--keep", attack, "--output", exceptions],
  ]);
  strictEqual(code, 0, error);
  strictEqual(out, "");
  match(error, /^8 alerts: 8 silenced by 1 exceptions, 0 remain\n/);
  const yaml = unwrapped(Deno.readTextFileSync(exceptions));
  match(yaml, /Replayed .*ordinary\.scap: 8 alerts before, 0 with them; silenced are 8 of "Secret/);
  match(yaml, /Replayed .*attack\.scap, to be kept: all 3 alerts still come/);
  match(yaml, /With them, 1 cases in 1 files beside the rules hold as before/);
  match(yaml, /Leaves open: the same program with other arguments/);
  const both = [place.rules, exceptions];
  strictEqual(await alertsOf(ordinary, both), "");
  strictEqual((await alertsOf(attack, both)).trim().split("\n").length, 3);
});

Deno.test("saker tune: alerts from files, compressed or not, and a pipe are one", async () => {
  using place = new Workplace();
  const ordinary = place.file("ordinary.scap", captureOf(ORDINARY));
  const alerts = await alertsOf(ordinary, [place.rules]);
  const lines = alerts.trim().split("\n");
  const first = place.file("first.jsonl", `${lines.slice(0, 2).join("\n")}\nno alert\n`);
  const second = await place.gzip("second.jsonl.gz", `${lines.slice(2, 4).join("\n")}\n`);
  const { code, out, error } = await runMain(["tune", first, second, "-", "-r", place.rules], {
    input: new TextEncoder().encode(lines.slice(4).join("\n")),
  });
  strictEqual(code, 0, error);
  match(error, /^8 alerts: 8 silenced by 1 exceptions, 0 remain\n/);
  match(error, /1 lines are no alerts with output_fields/);
  // The rule's output lacks the container: the exception says that it is for the host.
  match(
    out,
    /- \[host, \/usr\/sbin\/backupd, \/usr\/sbin\/cron, 0, \[\/etc\/shadow, \/etc\/gshadow\]\]/,
  );
  const taken = place.file("taken.yaml", out);
  strictEqual(await alertsOf(ordinary, [place.rules, taken]), "");
});

Deno.test("saker tune: an attack's own alerts give no exception that is in force", async () => {
  using place = new Workplace();
  const attack = place.file("attack.scap", captureOf(ATTACK));
  const { code, out, error } = await runMain(["tune", attack, "-r", place.rules, "--min", "1"]);
  strictEqual(code, 0, error);
  match(unwrapped(out), /cat: cat was run in somebody's session \(\/usr\/sbin\/sshd\)/);
  match(unwrapped(out), /the program \/tmp\/backupd lies where everybody may put files/);
  const taken = place.file("taken.yaml", out);
  const left = (await alertsOf(attack, [place.rules, taken])).trim().split("\n");
  const programs = left.map((line) => JSON.parse(line).output_fields["proc.exepath"]);
  ok(programs.includes("/usr/bin/cat") && programs.includes("/tmp/backupd"), left.join("\n"));
});

Deno.test("saker tune: a case beside the rules speaks against what silences it", async () => {
  using place = new Workplace();
  place.file("rules_test.yaml", CASES.replaceAll("/usr/bin/cat", "/usr/sbin/backupd"));
  const alerts = ORDINARY.map((one) => ({ ...one, parent: 1 }));
  const ordinary = place.file("ordinary.scap", captureOf(alerts.slice(2)));
  const { code, out, error } = await runMain(["tune", ordinary, "-r", place.rules]);
  strictEqual(code, 0, error);
  match(error, /^8 alerts: 0 silenced by 0 exceptions, 8 remain\n/);
  match(
    unwrapped(out),
    /would silence what a case says must fire: .*rules_test\.yaml: cat reads shadow/,
  );
});

Deno.test("saker tune: what cannot be read is one clear line", async () => {
  using place = new Workplace();
  const empty = place.file("empty.jsonl", "");
  const broken = place.file("broken.yaml", "- rule: x\n");
  for (
    const [args, expected] of [
      [["tune", "--url", "127.0.0.1:1"], /Cannot read the alerts of http:\/\/127\.0\.0\.1:1: /],
      [["tune", `${place.directory}/none`], /Cannot read the alerts .*none: there is no such file/],
      [["tune", place.directory], /Cannot read the alerts .*: it is a directory/],
      [["tune", empty], /there are no alerts; expected JSON lines of alerts, or captures/],
      [["tune", empty, "--min", "0"], /expected a whole number above 0/],
      [["tune", empty, "-r", broken], /broken\.yaml:1/],
      [["rules", "test"], /missing argument: files of tests/],
      [["rules", "test", "--from-alert", empty], /has 0 alerts: there is no number 1/],
    ] as const
  ) {
    const { code, out, error } = await runMain(args);
    strictEqual(code, 1, error);
    strictEqual(out, "");
    match(error, expected);
    strictEqual(error.trim().split("\n").length, 1, error);
  }
});

Deno.test("saker rules test: an alert becomes a case that runs and fires", async () => {
  using place = new Workplace();
  const attack = place.file("attack.scap", captureOf(ATTACK));
  const alerts = place.file("alerts.jsonl", await alertsOf(attack, [place.rules]));
  for (const from of [`${alerts}#2`, `${attack}#2`]) {
    const made = await runMain(["rules", "test", "--from-alert", from, "-r", place.rules]);
    strictEqual(made.code, 0, made.error);
    match(made.out, /proc\.exepath: \/tmp\/backupd/);
    const tests = place.file("rules_test.yaml", made.out);
    const { code, out } = await runMain(["rules", "test", tests]);
    deepStrictEqual([code, out], [0, "1 passed, 0 failed\n"]);
  }
});
