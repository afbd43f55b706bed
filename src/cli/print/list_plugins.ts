// `--list-plugins` and `--plugin-info`: the configured plugins in Falco's shape, which scripts take
// apart. The work of Falco's container, k8saudit, json and k8smeta plugins is part of saker; others
// say themselves what they are.
import type { Description } from "../../engine/host/describe_plugin.ts";
import type { PluginCapability, PluginInfo } from "../../plugins/contract.ts";
import { entryAsked } from "../../config/library_plugins.ts";
import { isOurs, loadedNames } from "../../config/plugin_entry.ts";
import type { Config } from "../../config/schema.ts";
import { BUILT_IN_PLUGINS } from "../../rules/load.ts";

/** What is printed of a plugin. */
interface Block {
  readonly name: string;
  readonly description: string;
  readonly contact: string;
  readonly version: string;
  readonly capabilities: readonly string[];
  /** JSON schema of `init_config`. */
  readonly initSchema?: Readonly<Record<string, unknown>> | undefined;
  /** Of those that bring events in: what `open_params` may say, and what it does. */
  readonly openParams?: readonly (readonly [value: string, about: string])[];
}

const DRAFT = "http://json-schema.org/draft-04/schema#";

const CONTAINER: Omit<Block, "version"> = {
  name: "container",
  description: "Fields of containers; part of saker, which needs no library for them",
  contact: "saker doctor tells what this host has of them",
  capabilities: ["Field Extraction", "Event Parsing", "Async Events"],
  initSchema: objectSchema({
    label_max_len: "integer",
    with_size: "boolean",
    hooks: "array",
    engines: "object",
  }),
};

const K8SAUDIT: Omit<Block, "version"> = {
  name: "k8saudit",
  description: "Kubernetes audit events; part of saker, which needs no library for them",
  contact: "docs/plugins.md",
  capabilities: ["Event Sourcing (ID=1, source='k8s_audit')", "Field Extraction"],
  initSchema: objectSchema({
    sslCertificate: "string",
    maxEventSize: "integer",
    webhookMaxBatchSize: "integer",
    useAsync: "boolean",
    tokenFile: "string",
    clientCa: "string",
    positionFile: "string",
  }),
  openParams: [
    ["http://127.0.0.1:9765/k8s-audit", "an API server's audit webhook posts there"],
    ["https://0.0.0.0:9765/k8s-audit", "the same over TLS, with init_config's sslCertificate"],
    ["file:///var/log/kubernetes/audit.log", "an audit log is followed from its end on"],
    ["/var/log/kubernetes", "the audit logs of a directory are read once"],
  ],
};

const JSON_FIELDS: Omit<Block, "version"> = {
  name: "json",
  description: "Fields of events that are JSON; part of saker, which needs no library for them",
  contact: "docs/plugins.md",
  capabilities: ["Field Extraction"],
  initSchema: objectSchema({ useAsync: "boolean" }),
};

const K8SMETA: Omit<Block, "version"> = {
  name: "k8smeta",
  description: "Fields of pods and what they belong to; part of saker, which needs no library",
  contact: "docs/plugins.md",
  capabilities: ["Field Extraction", "Event Parsing", "Async Events"],
  initSchema: objectSchema({
    verbosity: "string",
    collectorHostname: "string",
    collectorPort: "integer",
    nodeName: "string",
    caPEMBundle: "string",
    hostProc: "string",
    apiServer: "string",
    kubeconfig: "string",
    tokenFile: "string",
    clientCertificate: "string",
    clientKey: "string",
  }),
};

const BUILT_IN: readonly Block[] = [CONTAINER, K8SAUDIT, JSON_FIELDS, K8SMETA].map((info) => ({
  ...info,
  version: BUILT_IN_PLUGINS.find(({ name }) => name === info.name)!.version,
}));

/** `libraries`: those that are no parts of saker, in the order in which they are loaded. */
export function listPlugins(
  config: Config,
  libraries: readonly PluginInfo[],
  write: (text: string) => void,
): void {
  const others = libraries.map(blockOf);
  const all = loadedNames(config).flatMap((name) => {
    const one = isOurs(config, name) ? infoOf(name) : others.shift();
    return one === undefined ? [] : [one];
  });
  write(`${all.length} Plugins Loaded:\n\n${all.map((one) => `${block(one)}\n`).join("")}\n`);
}

/** By the plugin's name or its library; returns an error where there is none, or where it does not
 * take its configuration, after what else there is to print. `library`: what it said, where it is
 * no part of saker. */
export function printPlugin(
  asked: string,
  config: Config,
  library: Description | undefined,
  write: (text: string) => void,
): string | undefined {
  const found = entryAsked(config, asked);
  const info = library === undefined ? infoOf(found?.name ?? asked) : blockOf(library.info);
  if (info === undefined) return `can't find plugin and print its info: ${asked}`;
  const schema = schemaText(info, library);
  const refusal = typeof library?.openParams === "string" ? library.openParams : undefined;
  const params = refusal === undefined ? paramsText(info, library) : "";
  write(`${block(info)}\nInit config schema type: ${schema}\n\n${params}`);
  return refusal;
}

/** A schema as the plugin wrote it. */
function schemaText({ initSchema }: Block, library: Description | undefined): string {
  const text = library?.info.initSchema ??
    (initSchema === undefined ? undefined : JSON.stringify(initSchema, null, 2));
  return text === undefined
    ? "Not available, plugin does not implement the init config schema functionality\n"
    : `JSON\n${text}`;
}

/** What `open_params` may say, of a plugin that brings events in. */
function paramsText({ openParams = [] }: Block, library: Description | undefined): string {
  if (library === undefined) {
    const lines = openParams.map(([value, about]) => `${value}: ${about}\n`).join("");
    return lines === "" ? "" : `Suggested open params:\n${lines}\n`;
  }
  if (!library.info.capabilities.includes("sourcing")) return "";
  if (typeof library.openParams === "string" || library.openParams.length === 0) {
    return "No suggested open params available: plugin has not been configured, or it does not " +
      "implement the open params suggestion functionality\n\n";
  }
  const lines = library.openParams.map(({ value, description }) =>
    description === "" ? `${value}\n` : `${value}: ${description}\n`
  );
  return `Suggested open params:\n${lines.join("")}\n`;
}

const CAPABILITIES: Readonly<Record<PluginCapability, string>> = {
  sourcing: "Event Sourcing",
  extraction: "Field Extraction",
  parsing: "Event Parsing",
  async: "Async Events",
  listening: "Capture Listening",
};

function blockOf(info: PluginInfo): Block {
  const { name, version, description, contact, id, source } = info;
  const sourcing = source === ""
    ? "Event Sourcing"
    : `Event Sourcing (ID=${id}, source='${source}')`;
  return {
    ...{ name, version, description, contact },
    capabilities: info.capabilities.map((one) => one === "sourcing" ? sourcing : CAPABILITIES[one]),
  };
}

function infoOf(name: string): Block | undefined {
  return BUILT_IN.find((one) => one.name === name);
}

function objectSchema(types: Readonly<Record<string, string>>): Record<string, unknown> {
  const properties = Object.entries(types).map(([key, type]) => [key, { type }]);
  return { $schema: DRAFT, type: "object", properties: Object.fromEntries(properties) };
}

function block({ name, description, contact, version, capabilities }: Block): string {
  return [
    `Name: ${name}`,
    `Description: ${description}`,
    `Contact: ${contact}`,
    `Version: ${version}`,
    "Capabilities: ",
    ...capabilities.map((one) => `  - ${one}`),
    "",
  ].join("\n");
}
