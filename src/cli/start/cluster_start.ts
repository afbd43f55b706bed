// Config and environment → whom to ask about the pods of this node, and how: what the k8smeta
// plugin is told in falco.yaml is given its meaning here.
import { dirname, isAbsolute, join } from "node:path";
import type { ClusterOptions, ClusterSource } from "../../../bindings-rs/cluster.d.ts";
import { type K8smetaInit, k8smetaSettings } from "../../config/k8smeta_plugin.ts";
import { readKubeconfig, type Shown } from "../../config/kubeconfig.ts";
import type { Config } from "../../config/schema.ts";
import type { ClusterStart } from "../../engine/contract/messages.ts";
import { readTextFile } from "../../files/read_text.ts";
import { reasonOf } from "../../files/reason.ts";
import type { Log } from "../log.ts";
import type { Terminal } from "../terminal.ts";

/** Where the kubelet puts a pod's own token, as the pod sees it. */
const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";
/** Authorities of the machine, where none is named. */
const SYSTEM_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt";
const KUBECONFIG_BYTES_MAX = 1 << 20;
const NONE: ClusterSource = { file: "", text: "" };

export interface ClusterSurroundings {
  readonly environment: (name: string) => string | undefined;
  readonly hostname: () => string;
}

/** Undefined where the configuration does not ask for it, or an error in words. */
export function clusterStart(
  config: Config,
  around: ClusterSurroundings,
): ClusterStart | { readonly error: string } | undefined {
  const init = k8smetaSettings(config);
  if (init === undefined) return undefined;
  const node = init.nodeName || around.hostname();
  const way = wayOf(init, around);
  if ("error" in way) return way;
  const { host, port } = way;
  const name = host.includes(":") ? `[${host}]` : host;
  const address = `${way.isCollector ? "" : "https://"}${name}:${port}${way.prefix}`;
  return { options: { ...way, node }, address };
}

/** The same, told to the person who runs saker. */
export function clusterOf(
  config: Config,
  { environment }: Pick<Terminal, "environment">,
  log: Pick<Log, "info" | "warning">,
): ClusterStart | undefined {
  const found = clusterStart(config, surroundings(environment));
  if (found === undefined) return undefined;
  if ("error" in found) {
    log.warning(`Warning: ${found.error}`);
    return undefined;
  }
  log.info(
    `k8smeta is part of saker: pods of node ${found.options.node} are asked for at ` +
      found.address,
  );
  return found;
}

/** A pod that the chart made knows its node's name. */
export function surroundings(
  environment: ClusterSurroundings["environment"],
): ClusterSurroundings {
  return { environment, hostname: () => environment("FALCO_HOSTNAME") ?? Deno.hostname() };
}

type Way = Omit<ClusterOptions, "node">;

function wayOf(
  init: K8smetaInit,
  { environment }: ClusterSurroundings,
): Way | { readonly error: string } {
  if (init.kubeconfig !== "") return byKubeconfig(init.kubeconfig);
  if (init.apiServer !== "") {
    return byUrl(init.apiServer, {
      authorities: fileOf(init.caPEMBundle || SYSTEM_AUTHORITIES),
      token: fileOf(init.tokenFile),
      certificate: fileOf(init.clientCertificate),
      key: fileOf(init.clientKey),
    });
  }
  if (init.collectorHostname !== "") {
    return {
      ...{ isCollector: true, host: init.collectorHostname, port: init.collectorPort },
      ...{ secure: init.caPEMBundle !== "", serverName: "", prefix: "" },
      ...{ authorities: fileOf(init.caPEMBundle), token: NONE, certificate: NONE, key: NONE },
    };
  }
  const host = environment("KUBERNETES_SERVICE_HOST") ?? "";
  if (host === "") {
    return {
      error: "k8smeta: KUBERNETES_SERVICE_HOST is not set, so this is no pod of a cluster: " +
        "init_config wants apiServer, kubeconfig or collectorHostname; without it k8smeta.* " +
        "fields have no values",
    };
  }
  return {
    ...{ isCollector: false, host, port: Number(environment("KUBERNETES_SERVICE_PORT") ?? 443) },
    ...{ secure: true, serverName: "", prefix: "" },
    authorities: fileOf(init.caPEMBundle || `${ACCOUNT}/ca.crt`),
    token: fileOf(init.tokenFile || `${ACCOUNT}/token`),
    ...{ certificate: NONE, key: NONE },
  };
}

function byKubeconfig(path: string): Way | { readonly error: string } {
  const error = (reason: string) => ({ error: `k8smeta: kubeconfig ${path} ${reason}` });
  let text: string;
  try {
    text = readTextFile(path, KUBECONFIG_BYTES_MAX);
  } catch (problem) {
    return error(`cannot be read: ${reasonOf(problem)}`);
  }
  const read = readKubeconfig(text);
  if ("error" in read) return error(read.error);
  if (URL.parse(read.server)?.protocol !== "https:") return error("names no server with https");
  const source = ({ file = "", text = "" }: Shown): ClusterSource => ({
    file: file === "" || isAbsolute(file) ? file : join(dirname(path), file),
    text,
  });
  const authorities = source(read.authorities);
  return byUrl(read.server, {
    serverName: read.serverName,
    authorities: isGiven(authorities) ? authorities : fileOf(SYSTEM_AUTHORITIES),
    token: source(read.token),
    certificate: source(read.certificate),
    key: source(read.key),
  });
}

function byUrl(
  text: string,
  shown: Pick<Way, "authorities" | "token" | "certificate" | "key"> & Partial<Way>,
): Way {
  const url = new URL(text);
  return {
    isCollector: false,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? 443 : Number(url.port),
    secure: true,
    serverName: "",
    prefix: url.pathname.replace(/\/+$/, ""),
    ...shown,
  };
}

function fileOf(file: string): ClusterSource {
  return { file, text: "" };
}

function isGiven({ file, text }: ClusterSource): boolean {
  return file !== "" || text !== "";
}
