// The two views of an event that a capture of ours holds, through the commands: replay, explain,
// rules test, and the setting engine.paths. Needs no root; live/views_test.ts is the live one.
import { deepStrictEqual, match, strictEqual } from "node:assert";
import { writeCapture } from "./capture_file.ts";
import { type Ending, runMain } from "./main_process.ts";

const RULES = `
- rule: Said
  desc: d
  condition: evt.type = openat and fd.name startswith /proc/self/fd/
  output: said %fd.name
  priority: NOTICE
- rule: Did
  desc: d
  condition: evt.type = openat and fd.name startswith /secret/ and not fd.name startswith /secret/ok
  output: did %fd.name
  priority: NOTICE
`;

class Workplace implements Disposable {
  readonly directory = Deno.makeTempDirSync();

  constructor() {
    this.file("rules.yaml", RULES);
    writeCapture(`${this.directory}/a.scap`, [
      { path: "/proc/self/fd/3", kernel: "/secret/a" },
      { path: "/secret/ok/../b", kernel: "/secret/b" },
      { path: "/tmp/../proc/self/fd/4" },
    ]);
  }

  file(name: string, text: string): string {
    Deno.writeTextFileSync(`${this.directory}/${name}`, text);
    return `${this.directory}/${name}`;
  }

  async run(...args: string[]): Promise<Ending> {
    return await runMain(["-r", `${this.directory}/rules.yaml`, ...args]);
  }

  /** The outputs of a replay's alerts, without time and priority. */
  async replayed(...options: string[]): Promise<string[]> {
    const args = ["-o", "json_output=true", "-o", "rule_matching=all", ...options];
    const { out, error, code } = await this.run(...args, "replay", `${this.directory}/a.scap`);
    strictEqual(code, 0, error);
    return out.trim().split("\n").map((line) => {
      const { output_fields: fields, rule } = JSON.parse(line);
      return [rule, fields["fd.name"], fields["evt.view"], fields["fd.name.other"]].join(" ");
    });
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

Deno.test("a capture of ours is judged under both views, and engine.paths chooses", async () => {
  using place = new Workplace();
  deepStrictEqual(await place.replayed(), [
    "Said /proc/self/fd/3 caller /secret/a",
    "Did /secret/a kernel /proc/self/fd/3",
    "Did /secret/b  ",
    "Said /proc/self/fd/4  ",
  ]);
  deepStrictEqual(await place.replayed("-o", "engine.paths=kernel"), [
    "Did /secret/a  ",
    "Did /secret/b  ",
    "Said /proc/self/fd/4  ",
  ]);
  deepStrictEqual(await place.replayed("-o", "engine.paths=caller"), [
    "Said /proc/self/fd/3  ",
    "Did /secret/b  ",
    "Said /proc/self/fd/4  ",
  ]);
  const { code, error } = await place.run("-o", "engine.paths=none", "replay", "x.scap");
  strictEqual(code, 1);
  match(error, /engine\.paths.*both.*kernel.*caller/);
});

Deno.test("explain says of a capture's event under which view a rule fires", async () => {
  using place = new Workplace();
  const capture = `${place.directory}/a.scap`;
  const { out } = await place.run("explain", "Said", "--event", capture);
  match(out, /^Event 1: Rule "Said" fires on this openat event under the caller's view\n/);
  match(out, /the kernel's view:[^]*fd\.name is "\/secret\/a"/);
  const chosen = await place.run(
    "-o",
    "engine.paths=kernel",
    "explain",
    "Said",
    "--event",
    capture,
  );
  match(chosen.out, /^Event 3: Rule "Said" fires on this openat event\n/);
});

Deno.test("a case of rules test gives both paths, or a capture that has them", async () => {
  using place = new Workplace();
  const tests = place.file(
    "rules_test.yaml",
    `cases:
  - name: both
    event:
      type: openat
      fields: { fd.name: /secret/x }
      caller: { fd.name: /proc/self/fd/3 }
    fires: [Said, Did]
  - name: captured
    capture: a.scap
    fires: [Said, Did]
`,
  );
  const { code, out } = await place.run("rules", "test", tests);
  strictEqual(code, 0, out);
  match(out, /2 passed, 0 failed/);
});
