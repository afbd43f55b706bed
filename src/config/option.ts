// `-o key=value`: the option's text comes in, the tree of configuration values is changed in
// place. The key is a path (`a.b[2].c[]`) in which a backslash escapes `.`, `[`, `]` and itself.
import { type ConfigMap, type ConfigValue, parseInline } from "./layer.ts";
import { ConfigError } from "./problem.ts";

/** A map key, a sequence index, or "append" for `[]`. */
type Step = { readonly key: string } | { readonly index: number } | "append";

export interface Option {
  readonly text: string;
  readonly path: readonly Step[];
  readonly value: ConfigValue;
}

/** A sequence that an option makes longer by index holds no more than this. */
const INDEX_MAX = 100_000;

/** Reads one option; throws a ConfigError that says what is wrong with it. */
export function parseOption(text: string): Option {
  const equals = text.indexOf("=");
  if (equals < 0) {
    throw new ConfigError(
      "",
      "",
      `Error parsing config option "${text}". Must be of the form key=val or key.subkey=val`,
    );
  }
  const key = text.slice(0, equals);
  const written = text.slice(equals + 1);
  const path = parseKey(key);
  if (!(written.startsWith("{") && written.endsWith("}"))) return { text, path, value: written };
  try {
    return { text, path, value: parseInline(written) };
  } catch (error) {
    throw keyError(key, (error as Error).message);
  }
}

/** Sets the option's value in the tree, making the maps and sequences on the way. */
export function applyOption(root: ConfigMap, option: Option): void {
  let holder: ConfigMap | ConfigValue[] = root;
  option.path.forEach((step, at) => {
    const last = at === option.path.length - 1;
    const next = option.path[at + 1];
    const wantsList = next !== undefined && (next === "append" || "index" in next);
    const place: string | number = placeOf(holder, step);
    const slots = holder as Record<string | number, ConfigValue>;
    if (last) {
      slots[place] = option.value;
      return;
    }
    let inner = slots[place];
    if (typeof inner === "string" && inner !== "") {
      const key = option.text.slice(0, option.text.indexOf("="));
      throw keyError(key, `there is the value "${inner}", which has no parts of its own`);
    }
    if (wantsList ? !Array.isArray(inner) : !isMap(inner)) {
      inner = wantsList ? [] : {};
      slots[place] = inner;
    }
    holder = inner as ConfigMap | ConfigValue[];
  });
}

/** Refuses an option that sets a part of what has none, where it does. */
export function refuseBelow(path: readonly PropertyKey[], option: Option): void {
  const keys = optionKeys(option);
  const isBelow = option.path.length > path.length && path.every((key, at) => key === keys[at]);
  if (!isBelow) return;
  const key = option.text.slice(0, option.text.indexOf("="));
  throw keyError(key, `${path.join(".")} is one value, which has no parts of its own`);
}

/** The dotted key up to the first index, such as `engine.replay.capture_file`. */
export function optionKeys(option: Option): string[] {
  const keys: string[] = [];
  for (const step of option.path) {
    if (step === "append" || "index" in step) break;
    keys.push(step.key);
  }
  return keys;
}

function placeOf(holder: ConfigMap | ConfigValue[], step: Step): string | number {
  if (step === "append") return (holder as ConfigValue[]).length;
  if ("key" in step) return step.key;
  const list = holder as ConfigValue[];
  while (list.length < step.index) list.push("");
  return step.index;
}

function parseKey(key: string): Step[] {
  const steps: Step[] = [];
  let word = "";
  let wordOpen = true;
  for (let at = 0; at < key.length; at++) {
    const char = key[at]!;
    if (char === "\\") {
      const escaped = key[++at];
      if (escaped === undefined) throw keyError(key, "trailing backslash");
      if (!".[]\\".includes(escaped)) throw keyError(key, `unknown escape "\\${escaped}"`);
      word += escaped;
    } else if (char === ".") {
      if (wordOpen) steps.push(keyStep(key, word));
      word = "";
      wordOpen = true;
    } else if (char === "[") {
      if (wordOpen) steps.push(keyStep(key, word));
      word = "";
      wordOpen = false;
      const close = key.indexOf("]", at);
      if (close < 0) throw keyError(key, 'expected "]"');
      steps.push(indexStep(key, key.slice(at + 1, close)));
      at = close;
      const next = key[at + 1];
      if (next !== undefined && next !== "." && next !== "[") {
        throw keyError(key, `unexpected "${next}" after "]"`);
      }
    } else if (char === "]") {
      throw keyError(key, 'unexpected "]"');
    } else {
      word += char;
    }
  }
  if (wordOpen) steps.push(keyStep(key, word));
  return steps;
}

function keyStep(key: string, word: string): Step {
  if (word === "") throw keyError(key, "a part of the key is empty");
  if (word === "__proto__") throw keyError(key, `"${word}" is not a configuration key`);
  return { key: word };
}

function indexStep(key: string, text: string): Step {
  if (text === "") return "append";
  if (!/^\d+$/.test(text)) throw keyError(key, `"${text}" is not an index`);
  if (Number(text) > INDEX_MAX) throw keyError(key, `an index is at most ${INDEX_MAX}`);
  return { index: Number(text) };
}

function keyError(key: string, message: string): ConfigError {
  return new ConfigError("", "", `Config error at key "${key}": Parsing error: ${message}`);
}

function isMap(value: ConfigValue | undefined): value is ConfigMap {
  return typeof value === "object" && !Array.isArray(value);
}
