// What `saker doctor` says of the cluster whose pods the configuration asks about: who answers, how
// many pods this node has, or why nothing is known. A configuration comes in, findings go out.
import type { Config } from "../../config/schema.ts";
import { type Addon, loadAddon } from "../../engine/host/addon.ts";
import { clusterStart, surroundings } from "../start/cluster_start.ts";
import type { RuntimeFinding } from "./doctor_runtimes.ts";

/** Whoever does not answer within this is said to hang. */
const PATIENCE_MS = 2_500;
const POLL_MS = 20;
/** For what else may be amiss once pods are known: owners, namespaces, services. */
const MORE_MS = 500;

export async function clusterFindings(
  config: Config,
  environment: (name: string) => string | undefined,
): Promise<RuntimeFinding[]> {
  const start = clusterStart(config, surroundings(environment));
  if (start === undefined) return [];
  if ("error" in start) return [{ verdict: "note", text: start.error }];
  let addon: Addon;
  try {
    addon = loadAddon();
  } catch {
    // The probe's findings tell of it.
    return [];
  }
  const cluster = addon.Cluster.start(start.options);
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const untilMs = performance.now() + PATIENCE_MS;
  while (performance.now() < untilMs && !cluster.state().tried) await pause(POLL_MS);
  if (cluster.state().up) await pause(MORE_MS);
  const { up, version, trouble, pods } = cluster.state();
  const { address, options: { node } } = start;
  const findings: RuntimeFinding[] = [];
  if (up) {
    const who = version === "" ? "the cluster" : `Kubernetes ${version}`;
    const text = `${who} answers on ${address}; pods of node ${node}: ${pods}`;
    findings.push({ verdict: pods === 0 ? "note" : "ok", text });
  }
  if (!up || trouble !== "") {
    const why = trouble === "" ? `did not answer within ${PATIENCE_MS} ms` : trouble;
    findings.push({ verdict: "note", text: `k8smeta: ${address} ${why}` });
  }
  return findings;
}
