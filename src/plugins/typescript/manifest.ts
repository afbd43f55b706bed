// What a module exports, as the plugin that it is: plain data made in the plugin's own thread comes
// in, of any form; what saker knows of a plugin goes out, or an Error of one line.
import { EVENTS } from "../../events/table.ts";
import { nearest } from "../../words/nearest.ts";
import { SYSCALL_SOURCE } from "../compatible.ts";
import type { PluginField, PluginFieldType, PluginInfo } from "../contract.ts";
import { type Asked, readAsked } from "./permissions.ts";

/** What the plugin's thread tells of the module: no functions, nothing checked. */
export interface Exported {
  readonly plugin: unknown;
  readonly permissions: unknown;
  readonly source: unknown;
  readonly fields: unknown;
  readonly initSchema: unknown;
}

export interface Manifest {
  readonly info: PluginInfo;
  readonly asked: Asked;
}

/** As Falco's of plugins: what this API is made after. */
const API_VERSION = "3.12.0";
const FIELDS_MAX = 1_000;
/** Of each system call that it is asked about. */
const READS_MAX = 64;
const PLUGIN_EVENT_NAME = "pluginevent";
const TEXT_MAX = 4_096;
const TYPES: readonly PluginFieldType[] = [
  "string",
  "uint64",
  "bool",
  "reltime",
  "abstime",
  "ipaddr",
  "ipnet",
];
const ARGUMENTS: Readonly<Record<string, PluginField["argument"]>> = {
  key: { isRequired: true, isIndex: false, isKey: true },
  "key?": { isRequired: false, isIndex: false, isKey: true },
  index: { isRequired: true, isIndex: true, isKey: false },
  "index?": { isRequired: false, isIndex: true, isKey: false },
};

type Map = Readonly<Record<string, unknown>>;

export function readManifest(exported: Exported, name: string): Manifest {
  const plugin = mapOf("plugin", exported.plugin ?? {});
  const source = exported.source === undefined ? undefined : mapOf("source", exported.source);
  const given = exported.fields === undefined ? undefined : mapOf("fields", exported.fields);
  if (source === undefined && given === undefined) {
    throw new Error("it exports no `source` and no `fields`");
  }
  const sourceName = source === undefined ? "" : sourceNameOf(source);
  const fields = given === undefined ? [] : fieldsOf(given);
  const sources = fields.length === 0 ? [] : sourcesOf(given!, sourceName);
  const isOfCalls = sources.includes(SYSCALL_SOURCE);
  const version = textOf("plugin.version", plugin.version ?? "0.0.0");
  if (!/^\d{1,9}\.\d{1,9}\.\d{1,9}$/.test(version)) {
    throw new Error(`its plugin.version: expected three numbers as 1.2.3, found "${version}"`);
  }
  const info: PluginInfo = {
    name: textOf("plugin.name", plugin.name ?? name),
    version,
    description: textOf("plugin.description", plugin.description ?? ""),
    contact: textOf("plugin.contact", plugin.contact ?? ""),
    requiredApiVersion: API_VERSION,
    capabilities: [
      ...(source === undefined ? [] : ["sourcing" as const]),
      ...(fields.length === 0 ? [] : ["extraction" as const]),
    ],
    id: source === undefined ? 0 : idOf(source.id ?? idFrom(sourceName)),
    source: sourceName,
    fields,
    extractSources: sources,
    extractEventTypes: isOfCalls ? typesOf(given!, sources) : [],
    parseSources: [],
    parseEventTypes: [],
    asyncSources: [],
    asyncEvents: [],
    ...(isOfCalls ? { reads: readsOf(given!) } : {}),
    ...(exported.initSchema === undefined
      ? {}
      : { initSchema: textOf("initSchema", exported.initSchema) }),
  };
  return { info, asked: readAsked(exported.permissions) };
}

function sourceNameOf(source: Map): string {
  const name = textOf("source.name", source.name);
  if (!/^[A-Za-z0-9_.-]{1,128}$/.test(name) || name === "syscall") {
    throw new Error(
      `its source.name: expected a name of letters, digits and _ other than ` +
        `"syscall", found ${JSON.stringify(name)}`,
    );
  }
  return name;
}

/** The same for the same name wherever it is loaded: captures are read by it. Those that Falco's
 * registry gives out are far below. */
function idFrom(source: string): number {
  let hash = 0x811c_9dc5;
  for (const byte of new TextEncoder().encode(source)) {
    hash = Math.imul(hash ^ byte, 0x0100_0193);
  }
  return (hash | 0x8000_0000) >>> 0;
}

function idOf(id: unknown): number {
  if (typeof id === "number" && Number.isInteger(id) && id > 0 && id <= 0xffff_ffff) return id;
  throw new Error("its source.id: expected a number from 1 to 4294967295");
}

function sourcesOf(given: Map, own: string): readonly string[] {
  const sources = given.sources ?? [];
  if (!Array.isArray(sources) || sources.some((one) => typeof one !== "string")) {
    throw new Error("its fields.sources: expected a list of names of sources");
  }
  const all = [...new Set([...(own === "" ? [] : [own]), ...sources as string[]])];
  if (all.length === 0) {
    throw new Error("its fields have no source: expected `sources` in defineFields");
  }
  return all;
}

/** Codes of the events whose names are given; none: of all. */
function typesOf({ types }: Map, sources: readonly string[]): readonly number[] {
  if (types === undefined) return [];
  const names = textsOf("fields.types", types);
  for (const name of names) {
    if (EVENTS.some((event) => event.name === name)) continue;
    const near = nearest(name, EVENTS.map((event) => event.name));
    const hint = near === undefined ? "" : `, did you mean ${near}?`;
    throw new Error(`its fields.types: there is no event ${JSON.stringify(name)}${hint}`);
  }
  const wanted = sources.length > 1 ? [...names, PLUGIN_EVENT_NAME] : names;
  return EVENTS.filter(({ name }) => wanted.includes(name)).map(({ code }) => code);
}

function readsOf({ reads = [] }: Map): readonly string[] {
  const texts = textsOf("fields.reads", reads);
  if (texts.length <= READS_MAX) return texts;
  throw new Error(`its fields.reads: expected at most ${READS_MAX} names of fields`);
}

function textsOf(what: string, given: unknown): readonly string[] {
  if (Array.isArray(given) && given.every((one) => typeof one === "string")) return given;
  throw new Error(`its ${what}: expected a list of texts`);
}

function fieldsOf(given: Map): readonly PluginField[] {
  const fields = Object.entries(mapOf("fields.fields", given.fields));
  if (fields.length > FIELDS_MAX) throw new Error(`it has more than ${FIELDS_MAX} fields`);
  return fields.map(([name, field]) => fieldOf(name, mapOf(`field ${name}`, field)));
}

function fieldOf(name: string, field: Map): PluginField {
  if (!/^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)+$/.test(name) || name.length > 200) {
    throw new Error(
      `its field ${JSON.stringify(name.slice(0, 200))}: expected a name as log.level`,
    );
  }
  const type = TYPES.find((one) => one === field.type);
  if (type === undefined) {
    throw new Error(`its field ${name}: expected a type of ${TYPES.join(", ")}`);
  }
  const argument = field.arg === undefined ? undefined : ARGUMENTS[String(field.arg)];
  if (field.arg !== undefined && argument === undefined) {
    throw new Error(`its field ${name}: expected an arg of ${Object.keys(ARGUMENTS).join(", ")}`);
  }
  if (field.value !== true) throw new Error(`its field ${name}: expected a function \`value\``);
  return {
    name,
    type,
    description: textOf(`field ${name}: desc`, field.desc ?? ""),
    ...(field.display === undefined
      ? {}
      : { display: textOf(`field ${name}: display`, field.display) }),
    isList: field.list === true,
    ...(argument === undefined ? {} : { argument }),
    addOutput: field.addOutput === true,
    properties: [],
  };
}

function mapOf(what: string, given: unknown): Map {
  if (typeof given === "object" && given !== null && !Array.isArray(given)) return given as Map;
  throw new Error(`its ${what}: expected an object`);
}

function textOf(what: string, given: unknown): string {
  if (typeof given === "string" && given.length <= TEXT_MAX) return given;
  throw new Error(`its ${what}: expected a text of at most ${TEXT_MAX} characters`);
}
