// Whom saker asks about pods, by what falco.yaml and the environment say.
import { deepStrictEqual, match, strictEqual, throws } from "node:assert";
import type { ClusterOptions } from "../../../bindings-rs/cluster.d.ts";
import { readConfig } from "../../config/read_config.ts";
import { clusterStart } from "./cluster_start.ts";

interface Started extends Partial<ClusterOptions> {
  readonly address?: string;
  readonly error?: string;
}

function start(init: Record<string, unknown>, variables: Record<string, string> = {}): Started {
  const entry = { name: "k8smeta", library_path: "libk8smeta.so", init_config: init };
  const given = [`plugins[]=${JSON.stringify(entry)}`, "load_plugins=[k8smeta]"];
  const { config } = readConfig({ file: undefined, options: given, environment: () => undefined });
  const environment = (name: string) => variables[name];
  const found = clusterStart(config, { environment, hostname: () => "box" });
  if (found === undefined) return { error: "not asked for" };
  return "error" in found ? found : { address: found.address, ...found.options };
}

const IN_CLUSTER = { KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "443" };
const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

Deno.test("a collector is asked as Falco's plugin asks it, over TLS by authorities", () => {
  const init = { collectorHostname: "collector.falco.svc", collectorPort: 45000, nodeName: "n1" };
  const plain = start(init, IN_CLUSTER);
  strictEqual(plain.address, "collector.falco.svc:45000");
  deepStrictEqual([plain.isCollector, plain.secure, plain.node], [true, false, "n1"]);
  const secure = start({ ...init, caPEMBundle: "/ca.pem", verbosity: "info", hostProc: "/host" });
  deepStrictEqual([secure.secure, secure.authorities], [true, { file: "/ca.pem", text: "" }]);
});

Deno.test("without a word the API server is asked with the pod's own account", () => {
  const found = start({}, IN_CLUSTER);
  strictEqual(found.address, "https://10.96.0.1:443");
  deepStrictEqual([found.isCollector, found.secure, found.node], [false, true, "box"]);
  deepStrictEqual(found.token, { file: `${ACCOUNT}/token`, text: "" });
  deepStrictEqual(found.authorities, { file: `${ACCOUNT}/ca.crt`, text: "" });
  const six = start({}, { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "6443" });
  strictEqual(six.address, "https://[fd00::1]:6443");
  match(`${start({}).error}`, /KUBERNETES_SERVICE_HOST is not set/);
});

Deno.test("a URL, or a kubeconfig, says which API server", () => {
  const found = start({ apiServer: "https://api.example:6443/k8s/", tokenFile: "/t" });
  deepStrictEqual([found.host, found.port, found.prefix], ["api.example", 6443, "/k8s"]);
  deepStrictEqual(found.token, { file: "/t", text: "" });
  const six = start({ apiServer: "https://[::1]" });
  deepStrictEqual([six.host, six.port], ["::1", 443]);
  match(`${start({ kubeconfig: "/nosuch/config" }).error}`, /kubeconfig \/nosuch\/config cannot/);
  const directory = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(
      `${directory}/config`,
      `current-context: a
contexts: [{name: a, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1", certificate-authority: ca.pem}}]
users: [{name: u, user: {token: s3cret}}]
`,
    );
    const read = start({ kubeconfig: `${directory}/config` });
    deepStrictEqual(read.authorities, { file: `${directory}/ca.pem`, text: "" });
    deepStrictEqual([read.host, read.port, read.token?.text], ["127.0.0.1", 1, "s3cret"]);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("what cannot be meant is refused with its key", () => {
  throws(
    () => start({ apiServer: "http://api:80" }),
    /plugins\[0\]\.init_config\.apiServer: expected a URL of https, found "http:\/\/api:80"/,
  );
  throws(
    () => start({ apiServer: "https://a", kubeconfig: "/b" }),
    /init_config\.kubeconfig: expected either apiServer or kubeconfig, found both/,
  );
  throws(() => start({ clientCertificate: "/c" }), /init_config\.clientKey: expected a file/);
  throws(() => start({ collectorPort: 70_000 }), /collectorPort: expected a whole number/);
});
