// What Falco's k8smeta plugin is told in `plugins[].init_config`, which saker's own questions to a
// cluster go by: a Config comes in, plain values go out.
import { entryOf, loadsOurs, readInit } from "./plugin_entry.ts";
import type { Config } from "./schema.ts";
import { type Held, map } from "./shape.ts";
import { choice, integer, text } from "./values.ts";

export const K8SMETA_PLUGIN = "k8smeta";

const LEVELS = ["trace", "debug", "info", "warning", "error", "critical"] as const;
const COLLECTOR_PORT = 45_000;

export const K8SMETA_INIT = map({
  verbosity: choice("info", LEVELS),
  collectorHostname: text(""),
  collectorPort: integer(COLLECTOR_PORT, { min: 1, max: 65_535 }),
  nodeName: text(""),
  caPEMBundle: text(""),
  // Processes are known to saker by other means.
  hostProc: text("/host"),
  // Saker's own, all that follow: the API server itself is asked.
  apiServer: text(""),
  kubeconfig: text(""),
  tokenFile: text(""),
  clientCertificate: text(""),
  clientKey: text(""),
});

export type K8smetaInit = Held<typeof K8SMETA_INIT>;

/** Of a Config that was read; undefined where it does not load the plugin. */
export function k8smetaSettings(config: Config): K8smetaInit | undefined {
  if (!loadsOurs(config, K8SMETA_PLUGIN)) return undefined;
  const found = entryOf(config, K8SMETA_PLUGIN);
  return found === undefined ? K8SMETA_INIT.initial() : readInit(K8SMETA_INIT, found).value;
}

/** What is wrong with values that are each well; undefined: nothing. */
export function k8smetaMistake(
  { apiServer, kubeconfig, collectorHostname, clientCertificate, clientKey }: K8smetaInit,
): { readonly key: string; readonly message: string } | undefined {
  const ways = Object.entries({ collectorHostname, apiServer, kubeconfig })
    .filter(([, value]) => value !== "").map(([key]) => key);
  // A file for Falco names the collector; what is beside it is for saker.
  const [first, second] = ways.filter((key) => key !== "collectorHostname");
  if (first !== undefined && second !== undefined) {
    return { key: second, message: `expected either ${first} or ${second}, found both` };
  }
  if (apiServer !== "") {
    const url = URL.parse(apiServer);
    if (url === null || url.protocol !== "https:" || url.username !== "" || url.search !== "") {
      return { key: "apiServer", message: `expected a URL of https, found "${apiServer}"` };
    }
  }
  if ((clientCertificate === "") !== (clientKey === "")) {
    const key = clientKey === "" ? "clientKey" : "clientCertificate";
    return { key, message: "expected a file: clientCertificate and clientKey belong together" };
  }
  return undefined;
}
