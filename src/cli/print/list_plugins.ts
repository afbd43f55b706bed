// `--list-plugins` and `--plugin-info`: the configured plugins in Falco's shape, which scripts take
// apart. The work of Falco's container, k8saudit, json and k8smeta plugins is part of saker; this
// version has no others.
import { loadedNames } from "../../config/plugin_entry.ts";
import type { Config } from "../../config/schema.ts";
import { BUILT_IN_PLUGINS } from "../../rules/load.ts";

/** What a plugin says of itself. */
interface PluginInfo {
  readonly name: string;
  readonly description: string;
  readonly contact: string;
  readonly version: string;
  readonly capabilities: readonly string[];
  /** JSON schema of `init_config`. */
  readonly initSchema: Readonly<Record<string, unknown>>;
  /** Of those that bring events in: what `open_params` may say, and what it does. */
  readonly openParams?: readonly (readonly [value: string, about: string])[];
}

const DRAFT = "http://json-schema.org/draft-04/schema#";

const CONTAINER: Omit<PluginInfo, "version"> = {
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

const K8SAUDIT: Omit<PluginInfo, "version"> = {
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

const JSON_FIELDS: Omit<PluginInfo, "version"> = {
  name: "json",
  description: "Fields of events that are JSON; part of saker, which needs no library for them",
  contact: "docs/plugins.md",
  capabilities: ["Field Extraction"],
  initSchema: objectSchema({ useAsync: "boolean" }),
};

const K8SMETA: Omit<PluginInfo, "version"> = {
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

const BUILT_IN: readonly PluginInfo[] = [CONTAINER, K8SAUDIT, JSON_FIELDS, K8SMETA].map((info) => ({
  ...info,
  version: BUILT_IN_PLUGINS.find(({ name }) => name === info.name)!.version,
}));

export function listPlugins(config: Config, write: (text: string) => void): void {
  const own = loadedNames(config).flatMap((name) => infoOf(name) ?? []);
  write(`${own.length} Plugins Loaded:\n\n${own.map((one) => `${block(one)}\n`).join("")}\n`);
}

/** By the plugin's name or its library; returns an error where saker does not have it. */
export function printPlugin(
  asked: string,
  { plugins }: Config,
  write: (text: string) => void,
): string | undefined {
  const found = plugins.find(({ name, library_path }) => [name, library_path].includes(asked));
  const info = infoOf(found?.name ?? asked);
  if (info === undefined) {
    return found === undefined
      ? `can't find plugin and print its info: ${asked}`
      : `--plugin-info ${asked}: this version of saker loads no plugins`;
  }
  const schema = JSON.stringify(info.initSchema, null, 2);
  const { openParams = [] } = info;
  const suggested = openParams.map(([value, about]) => `${value}: ${about}\n`).join("");
  write(
    `${block(info)}\nInit config schema type: JSON\n${schema}\n\n` +
      (suggested === "" ? "" : `Suggested open params:\n${suggested}\n`),
  );
  return undefined;
}

function infoOf(name: string): PluginInfo | undefined {
  return BUILT_IN.find((one) => one.name === name);
}

function objectSchema(types: Readonly<Record<string, string>>): Record<string, unknown> {
  const properties = Object.entries(types).map(([key, type]) => [key, { type }]);
  return { $schema: DRAFT, type: "object", properties: Object.fromEntries(properties) };
}

function block({ name, description, contact, version, capabilities }: PluginInfo): string {
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
