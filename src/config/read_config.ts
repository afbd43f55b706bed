// falco.yaml → Config: the main file, the files that it includes, what a signed bundle says, then
// the `-o` options; each scalar converted and checked; what is wrong told with file, line and key.
// Frozen at the end.
import { join } from "node:path";
import { fatesOf, type KeyFate } from "./fates.ts";
import { type AfarText, type AfarValue, applyAfar, readAfar } from "./from_afar.ts";
import { holdTree, type Where } from "./hold_tree.ts";
import {
  type ConfigMap,
  type ConfigValue,
  type Environment,
  type Layer,
  parseLayer,
} from "./layer.ts";
import { readBoundedFile } from "../files/read_text.ts";
import { reasonOf } from "../files/reason.ts";
import { rawText } from "../words/raw_text.ts";
import { applyOption, type Option, optionKeys, parseOption } from "./option.ts";
import { checkPlugins } from "./plugins.ts";
import { ConfigError, type ConfigProblem } from "./problem.ts";
import { notReadable, unreadableName } from "./readable_names.ts";
import { type Config, schema } from "./schema.ts";

export interface ReadOptions {
  /** The file of `-c`; without one the built-in defaults hold. */
  readonly file: string | undefined;
  /** The texts of `-o`, in order. */
  readonly options: readonly string[];
  readonly environment: Environment;
  /** Configuration from elsewhere: it stands above the files and below the options. */
  readonly afar?: AfarText | undefined;
}

export interface ConfigRead {
  readonly config: Config;
  /** Warnings and notices: an error is thrown. */
  readonly problems: readonly ConfigProblem[];
  /** The files that were read. */
  readonly files: readonly string[];
  /** What `config_files` names, whether it is there or not. */
  readonly includes: readonly string[];
  /** Top-level keys that a file or an option sets, whatever to. */
  readonly given: ReadonlySet<string>;
  /** What becomes of each key that is given. */
  readonly fates: readonly PlacedFate[];
}

export type PlacedFate = KeyFate & { readonly where: string };

/** Reads the configuration; throws a ConfigError with the first thing that is fatal. */
export function readConfig({ file, options, environment, afar }: ReadOptions): ConfigRead {
  const parsed = options.map(parseOption);
  const main: Layer = file === undefined
    ? { file: "", value: {}, remarks: [], lineOf: () => undefined }
    : parseLayer(file, readText(file, true), environment);
  const layers = [main];
  const tree = main.value;
  const origins = new Map<string, Layer>(Object.keys(tree).map((key) => [key, main]));

  for (const option of parsed.filter(aboutIncludes)) applyOption(tree, option);
  const items = includeItems(tree["config_files"], main.file);
  const includes = includedFiles(items, main.file);
  for (const { path, strategy } of includes) {
    const layer = parseLayer(path, readText(path, false), environment);
    layers.push(layer);
    merge(tree, layer, strategy, origins);
  }
  const fromAfar = afar === undefined ? [] : readAfar(afar);
  applyAfar(tree, fromAfar);
  for (const option of parsed) applyOption(tree, option);

  const touched = new Map(parsed.map((option) => [optionKeys(option).join("."), option]));
  const where = (path: readonly PropertyKey[]) => placeOf(path, { origins, touched, fromAfar });
  const given = new Set(Object.keys(tree));
  // A file that says nothing leaves nothing to run, as in Falco: it was hardly meant.
  if (file !== undefined && given.size === 0) tree["rules_files"] = [];
  const { value: config, problems } = holdTree<Config>(schema, tree, where, { options: parsed });
  if (afar !== undefined) requireGood(problems, afar);
  requireNames(config, where);
  problems.push(...checkPlugins(config, where));
  problems.unshift(...layers.flatMap(remarksOf));
  const fates = fatesOf(tree, config).map((fate) => ({ ...fate, where: where(fate.path) }));
  problems.push(...fates.flatMap(noticeOf));
  const files = [...(file === undefined ? [] : [file]), ...includes.map(({ path }) => path)];
  return {
    config: freeze(config),
    problems,
    files,
    includes: items.map(({ path }) => path),
    given,
    fates,
  };
}

/** What a file of the host may have wrong with a warning, nobody signs on purpose. */
function requireGood(problems: readonly ConfigProblem[], { name }: AfarText): void {
  const bad = problems.find(({ where }) => where.startsWith(`${name}:`));
  if (bad !== undefined) throw new ConfigError(bad.where, bad.key, bad.message);
}

function noticeOf({ where, key, told }: PlacedFate): ConfigProblem[] {
  return told === undefined ? [] : [{ severity: "notice", where, key, message: told }];
}

function remarksOf({ file, remarks }: Layer): ConfigProblem[] {
  return remarks.map(({ line, message }) => ({
    severity: "warning",
    where: `${file}:${line}`,
    key: "",
    message,
  }));
}

type Strategy = "append" | "override" | "add-only";

interface Include {
  readonly path: string;
  readonly strategy: Strategy;
}

function aboutIncludes(option: Option): boolean {
  return option.text.startsWith("config_files");
}

/** What `config_files` names. */
function includeItems(value: ConfigValue | undefined, mainFile: string): Include[] {
  const items = value === undefined || value === "" ? [] : Array.isArray(value) ? value : [value];
  return items.flatMap((item) => {
    if (Array.isArray(item)) {
      throw new ConfigError(mainFile, "config_files", "expected a path or {path, strategy}");
    }
    const path = typeof item === "string" ? item : item["path"];
    if (typeof path !== "string" || path === "") return [];
    if (!path.isWellFormed()) throw new ConfigError(mainFile, "config_files", notReadable(path));
    const strategy = typeof item === "string" ? "append" : strategyOf(item["strategy"]);
    return [{ path, strategy }];
  });
}

/** Their files, those of a directory in the order of their names. */
function includedFiles(items: readonly Include[], mainFile: string): Include[] {
  return items.flatMap(({ path, strategy }) =>
    filesAt(path).map((one) => {
      if (mainFile !== "" && sameFile(one, mainFile)) {
        throw new ConfigError(mainFile, "config_files", "the main file cannot include itself");
      }
      return { path: one, strategy };
    })
  );
}

function strategyOf(value: ConfigValue | undefined): Strategy {
  return value === "override" || value === "add-only" ? value : "append";
}

/** A file itself, the regular files of a directory, nothing for a path that does not exist. */
function filesAt(path: string): string[] {
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(path);
  } catch {
    return [];
  }
  if (!info.isDirectory) return [path];
  return [...Deno.readDirSync(path)]
    .filter(({ name }) => !name.startsWith("."))
    .map((entry) => join(path, entry.name))
    .filter(isRegular)
    .sort();
}

/** A link that leads nowhere is none: editors leave such things. */
function isRegular(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function sameFile(one: string, other: string): boolean {
  return Deno.realPathSync(one) === Deno.realPathSync(other);
}

/** Works on top-level keys only, as Falco does: maps are not merged deeply. */
function merge(tree: ConfigMap, layer: Layer, strategy: Strategy, origins: Map<string, Layer>) {
  for (const [key, value] of Object.entries(layer.value)) {
    if (key === "config_files") {
      throw new ConfigError(layer.file, key, "an included file cannot include others");
    }
    const present = tree[key];
    if (strategy === "add-only" && present !== undefined) continue;
    if (strategy === "append" && Array.isArray(value) && present !== undefined) {
      tree[key] = [...(Array.isArray(present) ? present : [present]), ...value];
    } else {
      tree[key] = value;
    }
    origins.set(key, layer);
  }
}

interface Origins {
  readonly origins: ReadonlyMap<string, Layer>;
  readonly touched: ReadonlyMap<string, Option>;
  readonly fromAfar: readonly AfarValue[];
}

function placeOf(path: readonly PropertyKey[], from: Origins): string {
  const { origins, touched, fromAfar } = from;
  for (let length = path.length; length > 0; length--) {
    const option = touched.get(path.slice(0, length).join("."));
    if (option !== undefined) return `-o ${option.text}`;
  }
  const value = fromAfar.find((one) => one.path.every((step, at) => step === path[at]));
  if (value !== undefined) return value.where;
  const layer = origins.get(String(path[0]));
  if (layer === undefined || layer.file === "") return "";
  const line = layer.lineOf(path);
  return line === undefined ? layer.file : `${layer.file}:${line}`;
}

/** Values that are only wrong together. */
function requireNames(config: Config, where: Where): void {
  const refuse = (path: string[], message: string) => {
    throw new ConfigError(where(path), path.join("."), message);
  };
  if (config.rules_file !== undefined && config.rules_files !== undefined) {
    refuse(["rules_file"], "rules_file and rules_files cannot both be set");
  }
  if (config.engine.kind === "replay" && config.engine.replay.capture_file === "") {
    refuse(["engine", "replay", "capture_file"], "expected a capture file for engine.kind replay");
  }
  if (config.file_output.enabled && config.file_output.filename === "") {
    refuse(["file_output", "filename"], "expected a file, since the output is enabled");
  }
  if (config.program_output.enabled && config.program_output.program === "") {
    refuse(["program_output", "program"], "expected a program, since the output is enabled");
  }
  if (config.http_output.enabled && config.http_output.url === "") {
    refuse(["http_output", "url"], "expected a URL, since the output is enabled");
  }
  const unreadable = unreadableName(config);
  if (unreadable !== undefined) refuse([...unreadable.path], unreadable.message);
  const actions = config.syscall_event_drops.actions;
  const beside = actions.find((one) => one === "log" || one === "alert");
  if (actions.includes("ignore") && beside !== undefined) {
    const message =
      `syscall event drop action "${beside}" does not make sense with the "ignore" action`;
    refuse(["syscall_event_drops", "actions"], message);
  }
}

/** Bytes of one file of the configuration. */
const CONFIG_BYTES_MAX = 4 << 20;

function readText(path: string, isMain: boolean): string {
  try {
    // Names of files may be no UTF-8, and what they are is for those to say who open them.
    return rawText(readBoundedFile(path, CONFIG_BYTES_MAX));
  } catch (error) {
    if (isMain && error instanceof Deno.errors.NotFound) {
      throw new ConfigError("", "", `Could not find configuration file at ${path}`);
    }
    throw new ConfigError(path, "", `Cannot read the configuration file: ${reasonOf(error)}`);
  }
}

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
