// What a module exports, as the plugin that it is: plain data made in the plugin's own thread comes
// in, of any form; what saker knows of a plugin goes out, or an Error of one line.
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

/** Id that plugins under development share, as Falco has it. */
const DEVELOPMENT_ID = 999;
/** As Falco's of plugins: what this API is made after. */
const API_VERSION = "3.12.0";
const FIELDS_MAX = 1_000;
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
    id: source === undefined ? 0 : idOf(source.id ?? DEVELOPMENT_ID),
    source: sourceName,
    fields,
    extractSources: fields.length === 0 ? [] : sourcesOf(given!, sourceName),
    extractEventTypes: [],
    parseSources: [],
    parseEventTypes: [],
    asyncSources: [],
    asyncEvents: [],
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
  if (all.includes("syscall")) {
    throw new Error("its fields.sources: system calls have no fields in TypeScript");
  }
  return all;
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
