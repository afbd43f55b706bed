// Deno unpacks a library that a compiled program loads into the temporary directory, under a name
// made of the program's path and the library's bytes: anybody who knows both can be there first.
// A program compiled in that way tells the name; saker, put in its place, must not touch the file.
import { assert, assertEquals } from "./expect.ts";
import { SAKER, Saker } from "./saker.ts";
import { isRoot, Place } from "./trigger.ts";

const ADDON = new URL("../../dist/embed/addon.node", import.meta.url).pathname;
const DENO = new URL("../../scripts/deno", import.meta.url).pathname;
const LOADS_AS_DENO_DOES = `import { createRequire } from "node:module";
createRequire(import.meta.url)("./addon.node");
`;

Deno.test({
  name: "a file planted where Deno would unpack the addon is neither used nor touched",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    await using tmp = new Place();
    const binary = place.file("saker");
    const planted = `${tmp.path}/${await nameThatDenoUses(place, binary, tmp.path)}`;
    await Deno.writeTextFile(planted, "planted");
    await Deno.copyFile(SAKER, binary);

    await using saker = await Saker.start([tmp.marker], { binary, env: { TMPDIR: tmp.path } });
    const maps = await Deno.readTextFile(`/proc/${saker.pid}/maps`);
    assert(/\/saker-[^/]+\/addon\.node \(deleted\)/.test(maps), "the addon is not mapped");
    assert(!maps.includes(tmp.path));
    await saker.stop();
    // Deno would have put the library's bytes there.
    assertEquals(await Deno.readTextFile(planted), "planted");
  },
});

/** Compiles a program to `binary` that loads the addon in Deno's way, and runs it once. */
async function nameThatDenoUses(place: Place, binary: string, tmp: string): Promise<string> {
  const main = place.file("main.ts");
  await Deno.writeTextFile(main, LOADS_AS_DENO_DOES);
  await Deno.copyFile(ADDON, place.file("addon.node"));
  const compile = ["compile", "--quiet", "--no-check", "--allow-all", "--no-code-cache"];
  await run(DENO, [...compile, "--include", place.file("addon.node"), "--output", binary, main]);
  await run(binary, [], { TMPDIR: tmp });
  const names = [...Deno.readDirSync(tmp)].map(({ name }) => name);
  const unpacked = names.filter((name) => name.endsWith(".node"));
  assertEquals(unpacked.length, 1, `Deno unpacked ${names.join(", ")}`);
  return unpacked[0]!;
}

async function run(command: string, args: string[], env: Record<string, string> = {}) {
  const denort = `${
    Deno.env.get("SAKER_CACHE") ?? `${Deno.env.get("HOME")}/.cache/saker`
  }/tools/bin/denort`;
  const offline = await Deno.stat(denort).then(() => ({ DENORT_BIN: denort }), () => ({}));
  const { success, stderr } = await new Deno.Command(command, {
    args,
    env: { ...offline, ...env },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  assert(success, `${command}: ${new TextDecoder().decode(stderr)}`);
}
