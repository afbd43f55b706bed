// The bundle as it is compiled in is the same wherever clone and cache lie: what the bundler writes
// of two places goes in, one set of files comes out.
import { deepStrictEqual as assertEquals } from "node:assert";

const SCRIPT = new URL("place_urls.py", import.meta.url).pathname;

/** A bundle as Deno makes it: packages by the way to them, parts by hashes of all their text. */
function bundleOf(cache: string, outer: string, inner: string): Record<string, string> {
  const packaged = `${cache}/npm/registry.npmjs.org/@scope/parts/1.2.0/lib/index.js`;
  return {
    "main.js":
      `import { a } from "./chunk-${outer}.js";\nconst b = () => import("./b-${inner}.js");\n`,
    [`chunk-${outer}.js`]: `import "./b-${inner}.js";\n// ${packaged}\nexport const a = 1;\n`,
    [`b-${inner}.js`]: `var b = __commonJS({\n  "${packaged}"(exports) {}\n});\n`,
  };
}

/** Runs the script on files; what is there then, by name. */
async function placed(files: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const root = await Deno.makeTempDir({ prefix: "saker-bundle-" });
  try {
    await Deno.mkdir(`${root}/src`);
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${root}/src/${name}`, text);
    }
    const { success, stderr } = await new Deno.Command("python3", { args: [SCRIPT, root, "src"] })
      .output();
    assertEquals([success, new TextDecoder().decode(stderr)], [true, ""]);
    const names = [...Deno.readDirSync(`${root}/src`)].map(({ name }) => name).sort();
    const read = (name: string) => Deno.readTextFileSync(`${root}/src/${name}`);
    return Object.fromEntries(names.map((name) => [name, read(name)]));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("the bundle of two places is the same, and its parts find each other", async () => {
  const here = await placed(bundleOf("../../root/.cache/saker/deno", "AAAA2222", "BBBB3333"));
  const there = await placed(bundleOf("../../../../home/x/deno", "ZZZZ7777", "CCCC4444"));
  assertEquals(here, there);
  const [b, chunk, main] = Object.keys(here);
  assertEquals(main, "main.js");
  assertEquals(
    here["main.js"],
    `import { a } from "./${chunk}";\nconst b = () => import("./${b}");\n`,
  );
  const text = `import "./${b}";\n// npm/@scope/parts/1.2.0/lib/index.js\nexport const a = 1;\n`;
  assertEquals(here[chunk!], text);
});

Deno.test("parts of a bundle that differ have different names", async () => {
  const files = bundleOf("../../deno", "AAAA2222", "BBBB3333");
  const changed = { ...files, "b-BBBB3333.js": `${files["b-BBBB3333.js"]}// more\n` };
  const [first, second] = [await placed(files), await placed(changed)].map(Object.keys);
  // The one that changed, and the one that imports it.
  assertEquals(first!.filter((name) => second!.includes(name)), ["main.js"]);
});
