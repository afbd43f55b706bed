// What runs saker in a cluster (deploy/): the manifests are what the chart says, Kubernetes' own
// schemas take them, and what is in them is what saker reads and serves.
import { existsSync } from "node:fs";
import { parseAllDocuments, stringify } from "yaml";
import { assert, assertEquals } from "./live/expect.ts";
import { runSaker } from "./live/saker.ts";
import { has, Place, PYTHON, run } from "./live/trigger.ts";

const DEPLOY = new URL("../deploy/", import.meta.url).pathname;
const CHART = `${DEPLOY}helm/saker`;
const HEAD =
  "# Made from deploy/helm/saker by tests/deploy_test.ts (UPDATE=1): change the chart, not this " +
  "file.\n";
/** Manifests by file, and the values that they are made with. */
const MANIFESTS: Readonly<Record<string, readonly string[]>> = {
  "saker.yaml": [],
  "saker-with-prometheus.yaml": [`${DEPLOY}kubernetes/with-prometheus.values.yaml`],
  "saker-with-pod-metadata.yaml": [`${DEPLOY}kubernetes/with-pod-metadata.values.yaml`],
};
const VERSIONS = ["1.25", "1.30", "1.34"];
const cache = Deno.env.get("SAKER_CACHE") ?? `${Deno.env.get("HOME") ?? ""}/.cache/saker`;
const SCHEMAS = `${cache}/tools/kubernetes-validate`;

// deno-lint-ignore no-explicit-any -- Documents of any kind.
type Document = any;

function documents(name: string): Document[] {
  const text = Deno.readTextFileSync(`${DEPLOY}kubernetes/${name}`);
  return parseAllDocuments(text).map((document) => {
    assertEquals(document.errors, []);
    return document.toJS();
  });
}

function only(name: string, kind: string): Document {
  const found = documents(name).filter((document) => document.kind === kind);
  assertEquals(found.length, 1);
  return found[0];
}

/** Builds what renders; where that cannot be, the test has a step that says why. */
async function buildRenderer(t: Deno.TestContext, place: Place): Promise<boolean> {
  const directory = new URL("deploy", import.meta.url).pathname;
  const built = await run("go", ["build", "-o", place.file("render"), "."], directory);
  if (built.code === 0) return true;
  const why = built.stderr.trim().split("\n").at(-1);
  const name = `skipped: the renderer cannot be built: ${why}`;
  await t.step({ name, ignore: true, fn() {} });
  return false;
}

Deno.test({
  name: "the manifests are what the chart's templates give",
  ignore: !has("go"),
  async fn(t) {
    await using place = new Place();
    if (!await buildRenderer(t, place)) return;
    for (const [name, values] of Object.entries(MANIFESTS)) {
      const rendered = await run(place.file("render"), [CHART, "saker", "saker", ...values]);
      assertEquals([rendered.code, rendered.stderr], [0, ""]);
      const path = `${DEPLOY}kubernetes/${name}`;
      if (Deno.env.get("UPDATE") === "1") await Deno.writeTextFile(path, HEAD + rendered.stdout);
      assertEquals(await Deno.readTextFile(path), HEAD + rendered.stdout, name);
    }
    await Deno.writeTextFile(place.file("values.yaml"), "serviceMonitor: { enabled: true }\n");
    const refused = await run(place.file("render"), [CHART, "s", "s", place.file("values.yaml")]);
    assert(refused.stderr.includes("serviceMonitor needs tokenSecret"), refused.stderr);
  },
});

Deno.test({
  name: "the chart's values come to where they are wanted",
  ignore: !has("go"),
  async fn(t) {
    await using place = new Place();
    if (!await buildRenderer(t, place)) return;
    const render = async (values: Document, version = "v1.34.0"): Promise<Document[]> => {
      await Deno.writeTextFile(place.file("values.yaml"), stringify(values));
      const args = [`KUBE_VERSION=${version}`, place.file("render"), CHART, "up", "down"];
      const { code, stdout, stderr } = await run("env", [...args, place.file("values.yaml")]);
      assertEquals([code, stderr], [0, ""]);
      return parseAllDocuments(stdout).map((document) => document.toJS());
    };
    const pod = (all: Document[]) => all.find(({ kind }) => kind === "DaemonSet").spec.template;
    const container = (all: Document[]) => pod(all).spec.containers[0];
    const schemes = (all: Document[]) =>
      ["startupProbe", "readinessProbe", "livenessProbe"]
        .map((probe) => container(all)[probe]?.httpGet)
        .map((get) => get && `${get.scheme} ${get.path}`);

    const plain = await render({});
    assertEquals(schemes(plain), ["HTTP /readyz", "HTTP /readyz", "HTTP /healthz"]);
    assertEquals(pod(plain).metadata.annotations, undefined);
    assertEquals(container(plain).securityContext.appArmorProfile, { type: "Unconfined" });
    const older = await render({}, "v1.29.15-gke.100");
    assertEquals(container(older).securityContext.appArmorProfile, undefined);
    const annotation = "container.apparmor.security.beta.kubernetes.io/saker";
    assertEquals(pod(older).metadata.annotations, { [annotation]: "unconfined" });
    const webserver = { ssl_enabled: true, k8s_healthz_endpoint: "/alive" };
    const secured = await render({ config: { webserver } });
    assertEquals(schemes(secured), ["HTTPS /readyz", "HTTPS /readyz", "HTTPS /alive"]);
    const without = await render({ config: { webserver: { enabled: false } } });
    assertEquals(schemes(without), [undefined, undefined, undefined]);
    assertEquals(without.filter(({ kind }) => kind === "Service"), []);

    const all = await render({
      ...{ fullnameOverride: "seen", priorityClassName: "", affinity: { podAffinity: {} } },
      image: { registry: "r.example", repository: "of/saker", tag: "7" },
      ...{ podAnnotations: { a: "b" }, podLabels: { c: "d" } },
      extra: { env: [{ name: "E", value: "f" }], args: ["-M", "5"] },
      mounts: {
        volumes: [{ name: "v", emptyDir: {} }],
        volumeMounts: [{ name: "v", mountPath: "/v" }],
      },
      serviceAccount: { create: false, name: "theirs" },
      ...{ terminationGracePeriodSeconds: 5, updateStrategy: { type: "OnDelete" } },
    });
    const { spec, metadata } = pod(all);
    const one = container(all);
    assertEquals(all.map(({ kind, metadata: { name } }) => `${kind}/${name}`).sort(), [
      "ConfigMap/seen",
      "ConfigMap/seen-rules",
      "DaemonSet/seen",
      "Service/seen",
    ]);
    assertEquals([metadata.annotations, metadata.labels.c], [{ a: "b" }, "d"]);
    assertEquals(one.image, "r.example/of/saker:7");
    assertEquals(one.args, ["-c", "/etc/saker/falco.yaml", "-M", "5"]);
    assertEquals(one.env.at(-1), { name: "E", value: "f" });
    assertEquals([spec.volumes.at(-1).name, one.volumeMounts.at(-1).mountPath], ["v", "/v"]);
    assertEquals([spec.serviceAccountName, spec.priorityClassName], ["theirs", undefined]);
    assertEquals([spec.terminationGracePeriodSeconds, spec.affinity], [5, { podAffinity: {} }]);

    const sum = async (values: Document) =>
      pod(await render({ restartOnChange: true, ...values })).metadata.annotations;
    assertEquals(await sum({}), await sum({}));
    assert(
      (await sum({}))["checksum/config"] !== (await sum({ rules: { "a.yaml": "[]" } }))[
        "checksum/config"
      ],
    );
  },
});

Deno.test("every value of the chart is in its schema, and no other", async () => {
  const values = parseAllDocuments(await Deno.readTextFile(`${CHART}/values.yaml`))[0]!.toJS();
  const schema = JSON.parse(await Deno.readTextFile(`${CHART}/values.schema.json`));
  const named = Object.keys(schema.properties).filter((name) => name !== "global");
  assertEquals(Object.keys(values).sort(), named.sort());
  for (
    const [name, { additionalProperties, properties }] of Object.entries<Document>(
      schema.properties,
    )
  ) {
    if (additionalProperties !== false) continue;
    assertEquals(Object.keys(values[name]).sort(), Object.keys(properties).sort(), name);
  }
});

Deno.test("the executable, the chart and the manifests are of one version", async () => {
  const { version } = JSON.parse(
    await Deno.readTextFile(new URL("../deno.json", import.meta.url).pathname),
  );
  assert((await runSaker(["--version"])).stdout.startsWith(`saker version: ${version} `));
  const about = await Deno.readTextFile(`${CHART}/Chart.yaml`);
  const [chart] = parseAllDocuments(about).map((document) => document.toJS());
  assertEquals([chart.version, chart.appVersion], [version, version]);
  for (const name of Object.keys(MANIFESTS)) {
    const [{ image }] = only(name, "DaemonSet").spec.template.spec.containers;
    assertEquals(image, `saker:${version}`);
  }
});

Deno.test({
  name: "Kubernetes' schemas take every manifest",
  ignore: !existsSync(SCHEMAS),
  async fn() {
    const program = new URL("deploy/validate.py", import.meta.url).pathname;
    for (const name of Object.keys(MANIFESTS)) {
      for (const version of VERSIONS) {
        const script = 'PYTHONPATH="$1" exec "$2" "$3" "$4" < "$5"';
        const file = `${DEPLOY}kubernetes/${name}`;
        const args = ["-c", script, "sh", SCHEMAS, PYTHON, program, version, file];
        const { code, stdout, stderr } = await run("/bin/sh", args);
        assertEquals([code, stderr], [0, ""]);
        for (const line of stdout.trim().split("\n")) {
          const wanted = line.startsWith("ServiceMonitor/") ? "no schema" : "valid";
          assertEquals(line.split(": ")[1], wanted, `${name} ${version}: ${line}`);
        }
      }
    }
  },
});

Deno.test("saker takes the manifests' configuration, with the rules of the image", async () => {
  await using place = new Place();
  const image = await Deno.readTextFile(`${DEPLOY}Dockerfile`);
  const rules = new URL("../rules/", import.meta.url).pathname;
  for (const { name } of Deno.readDirSync(rules)) {
    if (name.endsWith("_test.yaml")) continue;
    assert(image.includes(`rules/${name}`), `the image has no ${name}`);
    await Deno.mkdir(place.file("rules"), { recursive: true });
    await Deno.copyFile(rules + name, place.file(`rules/${name}`));
  }
  await Deno.writeTextFile(place.file("token"), "0123456789abcdef\n", { mode: 0o600 });
  await Deno.mkdir(place.file("saker-rules"));
  for (const name of Object.keys(MANIFESTS)) {
    const maps = documents(name).filter(({ kind }) => kind === "ConfigMap");
    const text = maps.find(({ data }) => data["falco.yaml"])!.data["falco.yaml"] as string;
    const here = text.replace("/usr/share/saker/rules", place.file("rules"))
      .replace("/etc/saker-rules", place.file("saker-rules"))
      .replace("/etc/saker-token/token", place.file("token"));
    await Deno.writeTextFile(place.file("falco.yaml"), here);
    const { code, stderr } = await runSaker(["-c", place.file("falco.yaml"), "--dry-run"]);
    assertEquals(code, 0, stderr);
    assert(!/warning/i.test(stderr), stderr);
  }
});

Deno.test("the daemon set asks for no more than it needs, and its probes for what is true", () => {
  for (const name of Object.keys(MANIFESTS)) {
    const { spec } = only(name, "DaemonSet").spec.template;
    assertEquals([spec.hostPID, spec.hostNetwork, spec.hostIPC], [false, false, undefined]);
    const [container] = spec.containers;
    const { privileged, allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities } =
      container.securityContext;
    assertEquals([privileged, allowPrivilegeEscalation, readOnlyRootFilesystem], [
      false,
      false,
      true,
    ]);
    assertEquals(capabilities.drop, ["ALL"]);
    assertEquals(container.startupProbe.httpGet.path, "/readyz");
    assertEquals(container.readinessProbe.httpGet.path, "/readyz");
    assertEquals(container.livenessProbe.httpGet.path, "/healthz");
    const volumes = new Set(spec.volumes.map((volume: Document) => volume.name));
    for (const { name: volume } of container.volumeMounts) assert(volumes.has(volume), volume);
  }
});

Deno.test("the manifests bring what a pod needs before the pods", () => {
  for (const name of Object.keys(MANIFESTS)) {
    const kinds = documents(name).map(({ kind }) => kind);
    const pods = kinds.indexOf("DaemonSet");
    for (const needed of ["ServiceAccount", "ConfigMap", "ClusterRoleBinding"]) {
      assert(kinds.lastIndexOf(needed) < pods, `${name}: ${kinds}`);
    }
  }
});

Deno.test("saker's account may see pods and what they belong to, where that is wanted", () => {
  for (const name of Object.keys(MANIFESTS)) {
    const isWanted = name === "saker-with-pod-metadata.yaml";
    const { spec } = only(name, "DaemonSet").spec.template;
    assertEquals(spec.automountServiceAccountToken, isWanted);
    if (!isWanted) {
      assertEquals(documents(name).filter(({ kind }) => /Role/.test(kind)), []);
      continue;
    }
    const verbs = only(name, "ClusterRole").rules.flatMap((rule: Document) =>
      rule.resources.map((resource: string) => [resource, rule.verbs.join()])
    );
    assertEquals(Object.fromEntries(verbs), {
      ...{ pods: "list,watch", namespaces: "list,watch", services: "list,watch" },
      ...{ replicasets: "get", deployments: "get", replicationcontrollers: "get" },
    });
    const { name: account, namespace } = only(name, "ServiceAccount").metadata;
    const [subject] = only(name, "ClusterRoleBinding").subjects;
    assertEquals([subject.name, subject.namespace], [account, namespace]);
    assertEquals(spec.serviceAccountName, account);
  }
});

Deno.test("the dashboard asks for series that saker has", async () => {
  const dashboard = JSON.parse(await Deno.readTextFile(`${CHART}/dashboard.json`));
  const documented = await Deno.readTextFile(new URL("../docs/metrics.md", import.meta.url));
  const expressions: string[] = dashboard.panels.flatMap((panel: Document) =>
    panel.targets.map(({ expr }: { expr: string }) => expr)
  );
  for (const expression of expressions) {
    for (const [series] of expression.matchAll(/\b(?:saker|falcosecurity_falco)_\w+/g)) {
      const stem = series.replace(/_bucket$/, "").replace(/^falcosecurity_falco_/, "");
      const short = stem.replace(/^saker_output_/, "");
      assert(documented.includes(stem) || documented.includes(short), series);
    }
  }
  const map = only("saker-with-prometheus.yaml", "ServiceMonitor");
  assertEquals(map.spec.endpoints[0].path, "/metrics");
});
