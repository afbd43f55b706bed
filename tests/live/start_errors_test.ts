// What keeps saker from starting is told in one line, with exit code 1.
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { type Ending, runSaker, SAKER } from "./saker.ts";
import { isRoot, ownMounts, Place, run } from "./trigger.ts";

function checkOneLine({ code, stdout, stderr }: Ending, ...parts: string[]): void {
  assertEquals(code, 1);
  assertEquals(stdout, "");
  const lines = stderr.trimEnd().split("\n");
  assert(lines.length === 1, `expected one line, got ${JSON.stringify(stderr)}`);
  for (const part of parts) assertIncludes(stderr, part);
}

/** Runs the program with a copy of saker that everybody may read; the copy's path comes last. */
async function runCopy(program: string, args: (copy: string) => string[]): Promise<Ending> {
  await using place = new Place();
  const copy = place.file("saker");
  await Deno.copyFile(SAKER, copy);
  await Deno.chmod(copy, 0o755);
  return await run(program, args(copy));
}

Deno.test({
  name: "a saker without root says that it needs root",
  ignore: !isRoot(),
  async fn() {
    const ending = await runCopy("setpriv", (copy) => [
      ...["--reuid", "65534", "--regid", "65534", "--clear-groups", copy],
      ...["--listen", "127.0.0.1:0"],
    ]);
    checkOneLine(ending, "root");
  },
});

Deno.test({
  name: "a saker on a kernel without BTF names BTF",
  ignore: !isRoot(),
  async fn() {
    const hide = `mount -t tmpfs none /sys/kernel/btf && exec "$0" --listen 127.0.0.1:0`;
    const ending = await run("unshare", [...await ownMounts(), "/bin/sh", "-c", hide, SAKER]);
    checkOneLine(ending, "BTF");
  },
});

Deno.test("a rules file that is missing is named", async () => {
  const ending = await runSaker(["-r", "/nowhere/rules.yaml"]);
  checkOneLine(ending, "/nowhere/rules.yaml");
});

async function runWithRules(text: string): Promise<{ ending: Ending; file: string }> {
  await using place = new Place();
  const file = place.file("broken.yaml");
  await Deno.writeTextFile(file, text);
  return { ending: await runSaker(["-r", file]), file };
}

Deno.test("broken YAML is told with its file and line", async () => {
  const { ending, file } = await runWithRules("- rule: a\n  desc: [b\n  priority: INFO\n");
  checkOneLine(ending, file);
  assert(/[^0-9][23][^0-9]/.test(ending.stderr.replaceAll(file, "")), "names the line");
});

Deno.test("an unknown field is told with its file and line", async () => {
  const { ending, file } = await runWithRules(
    "- rule: a\n  desc: b\n  condition: evt.type = open and proc.nonsense = 1\n" +
      "  output: c\n  priority: INFO\n",
  );
  checkOneLine(ending, file, "proc.nonsense");
  assert(/[^0-9][13][^0-9]/.test(ending.stderr.replaceAll(file, "")), "names the line");
});
