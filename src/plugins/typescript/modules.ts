// A plugin's modules: the path of the first goes in, the text of all goes out, types stripped and
// imports made calls of `require`, in the order in which they are to run. The compiled runtime
// reads no TypeScript, and modules that it reads by itself it reads whatever the permissions say.
import { readTextFile } from "../../files/read_text.ts";
import { reasonOf } from "../../files/reason.ts";
import type { ModuleText } from "./module_text.ts";
import { AUTHOR_MODULE } from "./author_api.ts";
import { endable } from "./loops.ts";
import { shippedText } from "./shipped.ts";

const MODULES_MAX = 200;
const MODULE_BYTES_MAX = 4 << 20;
const EXTENSIONS = [".ts", ".mts", ".js", ".mjs"];

/** `import` as a call, or as `import.meta`, however it is written: nothing decides by itself here
 * what is a comment, so what looks like one in a comment or a text is refused, too. */
const IMPORT_CALL = /\bimport\s*(?:[(/.<]|$)/;
const REQUIRED = /\brequire\((?:'([^'\\]*)'|"([^"\\]*)")\)/g;

/** Types off, imports as calls, loops that can be ended. */
type Strip = (text: string, options: object) => string;

/** The last one is the plugin itself. Throws an Error of one line where one cannot be read. */
export async function readModules(path: string): Promise<readonly ModuleText[]> {
  // Only who has such plugins pays for it.
  const { transform } = (await import("sucrase/dist/index.js")).default;
  const { parse } = (await import("sucrase/dist/parser/index.js")).default;
  const types = (await import("sucrase/dist/parser/tokenizer/types.js")).default.TokenType;
  const alive = `$${crypto.randomUUID().replaceAll("-", "")}`;
  const slash = Math.max(path.lastIndexOf("/"), path.indexOf(":"));
  const strip: Strip = (text, options) => {
    const { code } = transform(text, options);
    return endable(code, alive, parse(code, false, false, false).tokens, types);
  };
  const reading = new Reading(path.slice(0, slash + 1), alive, strip);
  await reading.read(path.slice(slash + 1), []);
  return reading.modules;
}

class Reading {
  readonly modules: ModuleText[] = [];
  readonly #directory: string;
  readonly #alive: string;
  readonly #strip: Strip;
  readonly #done = new Set<string>();

  constructor(directory: string, alive: string, strip: Strip) {
    this.#directory = directory;
    this.#alive = alive;
    this.#strip = strip;
  }

  async read(name: string, from: readonly string[]): Promise<void> {
    if (from.includes(name)) {
      throw new Error(`${name}: modules import each other in a circle: ${from.join(", ")}`);
    }
    if (this.#done.has(name)) return;
    this.#done.add(name);
    if (this.#done.size > MODULES_MAX) throw new Error(`it has more than ${MODULES_MAX} modules`);
    if (!EXTENSIONS.some((extension) => name.endsWith(extension))) {
      throw new Error(`${name}: expected a module whose name ends with ${EXTENSIONS.join(", ")}`);
    }
    const text = this.#stripped(name, this.#textOf(name));
    const imports: Record<string, string> = {};
    for (const [, single, double] of text.matchAll(REQUIRED)) {
      const wanted = single ?? double ?? "";
      if (wanted === AUTHOR_MODULE) continue;
      const found = resolved(name, wanted);
      if (typeof found !== "string") throw new Error(`${name}: ${found.error}`);
      imports[wanted] = found;
      await this.read(found, [...from, name]);
    }
    this.modules.push({ name, text, alive: this.#alive, imports });
  }

  #textOf(name: string): string {
    const path = `${this.#directory}${name}`;
    try {
      return shippedText(path) ?? readTextFile(path, MODULE_BYTES_MAX);
    } catch (error) {
      throw new Error(`cannot read ${path}: ${reasonOf(error)}`);
    }
  }

  #stripped(name: string, text: string): string {
    for (const [at, line] of text.split("\n").entries()) {
      if (!IMPORT_CALL.test(line)) continue;
      throw new Error(
        `${name}:${at + 1}: a plugin has imports at the top of its modules alone, no import(…) ` +
          "and no import.meta, in comments and texts neither",
      );
    }
    const options = {
      transforms: ["typescript", "imports"],
      disableESTransforms: true,
      preserveDynamicImport: true,
      filePath: name,
    };
    try {
      const code = this.#strip(text, options);
      if (!IMPORT_CALL.test(code.replaceAll(/\s+/g, " "))) return code;
    } catch (error) {
      const line = (error as Error).message.replace(/^Error transforming [^:]*: /, "");
      throw new Error(`${name}: no TypeScript: ${line.split("\n")[0]}`);
    }
    throw new Error(`${name}: an import stands where none can`);
  }
}

/** The name of what a module imports, where it may. */
function resolved(from: string, wanted: string): string | { readonly error: string } {
  if (!/^\.\.?\//.test(wanted)) {
    return {
      error: `cannot import "${wanted}": there is "${AUTHOR_MODULE}", and there are modules ` +
        "beside it, such as ./other.ts",
    };
  }
  const parts = from.split("/").slice(0, -1);
  for (const part of wanted.split("/")) {
    if (part === ".." && parts.pop() === undefined) {
      return { error: `cannot import "${wanted}": it is outside of the plugin's directory` };
    }
    if (part !== "." && part !== "..") parts.push(part);
  }
  return parts.join("/");
}
