// `saker install` below a directory: what it puts there, what it leaves alone, and that the probe
// works with no more than the unit allows.
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { eventually, runSaker, SAKER, Saker } from "./saker.ts";
import { has, isRoot, Place, run, shell } from "./trigger.ts";

const FILES = ["usr/local/bin/saker", "etc/saker/saker.yaml", "etc/systemd/system/saker.service"];

async function installed(root: string, ...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await runSaker(["install", "--root", root, ...args]);
  assertEquals([code, stderr], [0, ""]);
  return stdout.trim().split("\n").map((line) => line.replace(`${root}/`, ""));
}

Deno.test("install puts program, configuration and unit there, and is idempotent", async () => {
  await using place = new Place();
  const root = place.path;
  assertEquals(await installed(root), FILES.map((file) => `installed  ${file}`));
  assertEquals(await installed(root), FILES.map((file) => `unchanged  ${file}`));
  assertEquals(Deno.statSync(`${root}/${FILES[0]}`).mode! & 0o777, 0o755);
  assertEquals(Deno.statSync(`${root}/${FILES[0]}`).size, Deno.statSync(SAKER).size);
  // The configuration is sound as it is.
  const { code } = await runSaker(["-c", `${root}/${FILES[1]}`, "--dry-run"]);
  assertEquals(code, 0);
  const { stdout } = await runSaker(["uninstall", "--root", root]);
  assertEquals(stdout.match(/^removed {2}/gm)?.length, 3);
  for (const file of FILES) assert(!isThere(`${root}/${file}`), file);
  assert(!isThere(`${root}/etc/saker`) && !isThere(`${root}/var/lib/saker`));
});

Deno.test("install writes over nothing that was changed, and uninstall leaves it", async () => {
  await using place = new Place();
  const root = place.path;
  await installed(root);
  const config = `${root}/${FILES[1]}`;
  await Deno.writeTextFile(config, "json_output: true\n");
  assertEquals((await installed(root))[1], `kept, it was changed  ${FILES[1]}`);
  // What is older and was not changed is replaced.
  const unit = `${root}/${FILES[2]}`;
  const noted = `${root}/var/lib/saker/installed`;
  await Deno.writeTextFile(unit, "[Unit]\n");
  const sum = (await run("sha256sum", [unit])).stdout.slice(0, 64);
  const text = await Deno.readTextFile(noted);
  await Deno.writeTextFile(noted, text.replace(/^[0-9a-f]+(?= .*service$)/m, sum));
  assertEquals((await installed(root))[2], `replaced  ${FILES[2]}`);
  const { stdout } = await runSaker(["uninstall", "--root", root]);
  assertIncludes(stdout, `kept, it was changed  ${config}`);
  assertEquals(await Deno.readTextFile(config), "json_output: true\n");
});

Deno.test("install --falco uses Falco's file as it is, and wants one", async () => {
  await using place = new Place();
  const root = place.path;
  const { code, stderr } = await runSaker(["install", "--root", root, "--falco"]);
  assertEquals(code, 1);
  assertIncludes(stderr, "Error: --falco: Cannot use");
  await Deno.mkdir(`${root}/etc/falco`, { recursive: true });
  await Deno.writeTextFile(`${root}/etc/falco/falco.yaml`, "json_output: true\n");
  await installed(root, "--falco");
  assert(!isThere(`${root}/${FILES[1]}`));
  assertIncludes(
    await Deno.readTextFile(`${root}/${FILES[2]}`),
    "ExecStart=/usr/local/bin/saker -c /etc/falco/falco.yaml\n",
  );
});

Deno.test({
  name: "systemd finds nothing amiss in the unit",
  ignore: !has("systemd-analyze"),
  async fn() {
    await using place = new Place();
    await installed(place.path);
    // Paths are those of the machine that it is installed on, which is not this one.
    const unit = (await Deno.readTextFile(`${place.path}/${FILES[2]}`))
      .replace("=/usr/local/bin/saker", `=${place.path}/${FILES[0]}`)
      .replace("/bin/kill", "/bin/true");
    await Deno.writeTextFile(place.file("saker.service"), unit);
    const { code, stdout, stderr } = await run("systemd-analyze", [
      "verify",
      "--man=no",
      place.file("saker.service"),
    ]);
    const told = `${stdout}${stderr}`.split("\n").filter((line) => line.includes("saker.service"));
    assertEquals([code, told], [0, []]);
  },
});

Deno.test({
  name: "the probe sees with the capabilities that the unit leaves, and no others",
  ignore: !isRoot() || !has("setpriv"),
  async fn() {
    await using place = new Place();
    await installed(place.path);
    const unit = await Deno.readTextFile(`${place.path}/${FILES[2]}`);
    const names = /^CapabilityBoundingSet=(.*)$/m.exec(unit)![1]!.split(" ");
    const set = ["-all", ...names.map((name) => `+${name.toLowerCase().replace("cap_", "")}`)];
    const rules = place.file("rules.yaml");
    await Deno.writeTextFile(
      rules,
      [
        "- rule: Read",
        "  desc: A file of this test was opened.",
        `  condition: evt.type in (open, openat, openat2) and fd.name = ${place.path}/secret`,
        "  output: Read %fd.name",
        "  priority: INFO\n",
      ].join("\n"),
    );
    await Deno.writeTextFile(place.file("secret"), "");
    await using saker = await Saker.start([place.marker], {
      args: ["-r", rules, "-o", "json_output=true"],
      through: ["setpriv", `--bounding-set=${set.join(",")}`, "--no-new-privs"],
    });
    await eventually("an alert", async () => {
      await shell(place.marker, `cat ${place.path}/secret`);
      return saker.alerts().length > 0 || undefined;
    });
    assert(!/^Warning: engine/m.test(saker.told), saker.told);
  },
});

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
