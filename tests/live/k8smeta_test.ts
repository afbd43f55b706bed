// Pods of a real container runtime, and what an API server tells of them, on the built binary: it
// stands in alerts and decides rules, whether the API server was there first, comes later, forgets,
// refuses or goes.
import { assert, assertEquals } from "./expect.ts";
import { type Alert, eventually, freePort, lines, runSaker, Saker } from "./saker.ts";
import { has, type Place } from "./trigger.ts";
import { certificates, noGrpcClient, PYTHON_WITH_GRPC } from "../outputs/grpc.ts";
import { type ApiObject, ApiServer } from "./cluster/api_server.ts";
import { CriClient } from "./runtimes/cri.ts";
import { IMAGE } from "./runtimes/image.ts";
import { withRuntime } from "./runtimes/with_runtime.ts";

const NODE = "node-of-the-test";
const FIELDS = [
  ...["pod.name", "pod.uid", "pod.label[app]", "pod.ip", "ns.name", "ns.label[tier]"],
  ...["deployment.name", "deployment.label[team]", "rs.name", "svc.name", "svc.label[a]"],
].map((name) => `k8smeta.${name}`);
const OUTPUT = FIELDS.map((name) => `${name}=%${name}`).join(" ") +
  " container=%container.name line=%proc.cmdline";

const uidOf = (number: number) =>
  `05869489-8c7f-45dc-9abd-0000000000${`${number}`.padStart(2, "0")}`;

/** What the API server has of a pod. */
function podObject(number: number): ApiObject {
  return {
    metadata: {
      ...{ uid: uidOf(number), name: `web-7f-${number}`, namespace: "shop" },
      labels: { app: "web" },
      ownerReferences: [{ kind: "ReplicaSet", name: "web-7f", uid: "r1", controller: true }],
    },
    spec: { nodeName: NODE },
    status: { podIP: `10.0.0.${number}` },
  };
}

function fill(server: ApiServer): void {
  server.put("namespaces", { metadata: { uid: "n0", name: "default" } });
  server.put("namespaces", { metadata: { uid: "n1", name: "shop", labels: { tier: "gold" } } });
  server.put("namespaces", { metadata: { uid: "n2", name: "other" } });
  const meta = (uid: string, name: string, labels: Record<string, string>) => ({
    ...{ uid, name, namespace: "shop", labels },
  });
  const owner = { kind: "Deployment", name: "web", uid: "d1", controller: true };
  server.put("deployments", { metadata: meta("d1", "web", { team: "red" }) });
  server.put("replicasets", {
    metadata: { ...meta("r1", "web-7f", {}), ownerReferences: [owner] },
  });
  const selector = { selector: { app: "web" } };
  server.put("services", { metadata: meta("s1", "front", { a: "1" }), spec: selector });
  server.put("services", { metadata: meta("s2", "apart", {}), spec: { selector: { app: "x" } } });
  for (const number of [1, 2, 3, 5]) server.put("pods", podObject(number));
}

/** What an alert of a pod shows. */
function shownOf(number: number): Record<string, unknown> {
  const values = [
    ...[`web-7f-${number}`, uidOf(number), "web", `10.0.0.${number}`, "shop", "gold"],
    ...["web", "red", "web-7f", ["front"], ["1"]],
  ];
  return Object.fromEntries(FIELDS.map((name, at) => [name, values[at]]));
}

function shown({ output_fields: fields }: Alert): Record<string, unknown> {
  return Object.fromEntries(FIELDS.map((name) => [name, fields[name]]));
}

function isUntold(alert: Alert): boolean {
  return (alert as { container_metadata?: string }).container_metadata === "missing";
}

/** The part of /healthz about the API server. */
async function cluster(saker: Saker): Promise<Record<string, unknown>> {
  return ((await saker.health())?.body["kubernetes"] ?? {}) as Record<string, unknown>;
}

function until(
  what: string,
  saker: Saker,
  isSo: (told: Record<string, unknown>) => boolean,
): Promise<Record<string, unknown>> {
  return eventually(what, async () => {
    const told = await cluster(saker);
    return isSo(told) ? told : undefined;
  });
}

/** Rules, and a falco.yaml that loads k8smeta and asks this API server. */
function write(place: Place, init: Record<string, unknown>, socket: string): string[] {
  const execution = "evt.type in (execve, execveat) and " +
    `proc.cmdline startswith "sh -c true ${place.marker}"`;
  const rule = (name: string, condition: string) => ({
    ...{ rule: name, desc: name, priority: "NOTICE", output: OUTPUT },
    condition: `${execution} and ${condition}`,
  });
  const rules = [
    rule("In a container", "container.id != host"),
    rule("Of the deployment", "k8smeta.deployment.name=web"),
    rule("Behind a service", "k8smeta.svc.name intersects (front, nosuch)"),
    rule("Not in the shop", "container.id != host and not k8smeta.ns.name=shop"),
  ];
  Deno.writeTextFileSync(place.file("rules.yaml"), JSON.stringify(rules));
  const off = { enabled: false };
  const engines = {
    ...{ docker: off, podman: off },
    ...{
      cri: { enabled: true, sockets: [socket] },
      containerd: { enabled: true, sockets: [socket] },
    },
  };
  const config = {
    load_plugins: ["container", "k8smeta"],
    plugins: [
      { name: "container", library_path: "libcontainer.so", init_config: { engines } },
      { name: "k8smeta", library_path: "libk8smeta.so", init_config: init },
    ],
    ...{ json_output: true, rule_matching: "all" },
  };
  Deno.writeTextFileSync(place.file("falco.yaml"), JSON.stringify(config));
  return ["-c", place.file("falco.yaml"), "-r", place.file("rules.yaml")];
}

Deno.test({
  name: "alerts of pods show what the API server tells, and rules go by it",
  ignore: !has("openssl"),
  async fn(t) {
    const missing = noGrpcClient();
    if (missing !== undefined) {
      await t.step({ name: `skipped: ${missing}`, ignore: true, fn() {} });
      return;
    }
    await withRuntime(t, "containerd", async (containerd, place) => {
      const tokens = [crypto.randomUUID(), crypto.randomUUID()];
      await Deno.writeTextFile(place.file("token"), `${tokens[0]}\n`);
      const pem = await certificates(place.path);
      const port = freePort();
      await using server = new ApiServer(port, pem, tokens[0]!);
      fill(server);
      const args = write(place, {
        ...{ apiServer: `https://localhost:${port}`, caPEMBundle: `${pem}/ca.pem` },
        ...{ tokenFile: place.file("token"), nodeName: NODE },
      }, containerd.socket);
      const capture = {
        ...{ enabled: true, mode: "all_rules", default_duration: 60_000 },
        path_prefix: place.file("capture"),
      };
      const options = ["-o", `capture=${JSON.stringify(capture)}`];
      await using saker = await Saker.start([place.marker], { args: [...args, ...options] });
      await using cri = new CriClient(containerd.socket);
      const start = async (number: number, mark: string, cgroup?: string) => {
        await cri.run({
          pod: {
            ...{ name: `web-7f-${number}`, uid: uidOf(number), namespace: "shop" },
            ...(cgroup === undefined ? {} : { cgroup }),
          },
          containers: [{ name: "inner", image: IMAGE, command: ["sh", "-c", "true", mark] }],
        });
        return mark;
      };
      const seen: [string, string][] = [];
      const alertOf = async (rule: string, mark: string) => {
        const alert = await saker.alert(rule, mark);
        seen.push([rule, mark]);
        return alert;
      };

      // Nobody is there: the alert says that it lacks something.
      const absent = await saker.alert("In a container", await start(1, place.mark("absent")));
      assertEquals(Object.values(shown(absent)), FIELDS.map(() => null));
      assert(isUntold(absent), absent.output);
      assertEquals((await cluster(saker))["up"], false);

      server.start();
      await until("pods to be known", saker, ({ up, pods }) => up === true && pods === 4);
      const there = await alertOf("Of the deployment", await start(2, place.mark("there")));
      assertEquals(shown(there), shownOf(2));
      assert(!isUntold(there), there.output);
      await alertOf("Behind a service", place.mark("there"));

      // A cgroup as the kubelet names it, and a pod that the API server tells of at that moment.
      const news = place.mark("news");
      server.put("pods", podObject(4));
      await start(4, news, `/kubepods/besteffort/pod${uidOf(4)}`);
      assertEquals(shown(await alertOf("Of the deployment", news)), shownOf(4));

      // What was followed is forgotten, another token is wanted, and services changed meanwhile.
      const { relists, failures } = await cluster(saker) as Record<string, number>;
      server.token = tokens[1]!;
      server.forget();
      server.remove("s1");
      server.put("services", {
        metadata: { uid: "s3", name: "after", namespace: "shop" },
        spec: { selector: { app: "web" } },
      });
      server.forget();
      server.cut();
      const refused = await until("saker to be refused", saker, ({ up }) => up === false);
      assert(/answered 401/.test(`${refused["reason"]}`), `${refused["reason"]}`);
      await Deno.writeTextFile(place.file("token"), tokens[1]!);
      const again = await until(
        "lists to be asked for anew",
        saker,
        (told) => told["up"] === true && Number(told["relists"]) >= relists! + 3,
      );
      assert(Number(again["failures"]) > failures!);
      const after = await alertOf("Of the deployment", await start(3, place.mark("after")));
      assertEquals(shown(after)["k8smeta.svc.name"], ["after"]);

      // It is gone: what was known is still known.
      await server.stop();
      await until("saker to miss it", saker, ({ up }) => up === false);
      const gone = await alertOf("Of the deployment", await start(5, place.mark("gone")));
      assertEquals(shown(gone)["k8smeta.deployment.label[team]"], "red");
      const wrong = saker.alerts().filter(({ rule, output }) =>
        rule === "Not in the shop" && !output.includes("-absent")
      );
      assertEquals(wrong.map(({ output }) => output), []);

      const health = JSON.stringify((await saker.health())?.body);
      const { stderr } = await saker.stop();
      for (const secret of tokens) {
        assert(!stderr.includes(secret) && !health.includes(secret), "a token was shown");
      }
      assert(stderr.includes(`pods of node ${NODE} are asked for at https://localhost:${port}`));

      // The recording holds what was told, at the time at which it was.
      const [file, ...more] = [...Deno.readDirSync(place.path)]
        .filter(({ name }) => name.endsWith(".scap"));
      assert(file !== undefined && more.length === 0, "one capture is expected");
      const replay = await runSaker([...args, "replay", place.file(file.name)]);
      const alerts = replay.stdout.trim().split("\n").map((line) => JSON.parse(line) as Alert);
      for (const [rule, mark] of seen) {
        const live = saker.alertsWith(mark).find((alert) => alert.rule === rule)!;
        const same = alerts.find((alert) =>
          alert.rule === rule && JSON.stringify(alert.output_fields).includes(mark)
        );
        assert(same !== undefined, `the replay has no alert of "${rule}" with ${mark}`);
        assertEquals(shown(same), shown(live), mark);
      }
    });
  },
});

/** What `saker doctor` says of the cluster. */
async function findings(init: Record<string, unknown>): Promise<string[]> {
  const plugin = { name: "k8smeta", library_path: "libk8smeta.so", init_config: init };
  const options = [`plugins[]=${JSON.stringify(plugin)}`, "load_plugins=[k8smeta]"];
  const { stdout } = await runSaker(["doctor", "--json", ...options.flatMap((one) => ["-o", one])]);
  const told = JSON.parse(stdout) as { readonly findings: readonly { readonly text: string }[] };
  return told.findings.map(({ text }) => text).filter((text) => /k8smeta|pods of node/.test(text));
}

Deno.test("Falco's collector is followed, and saker doctor tells whether it answers", async (t) => {
  const missing = noGrpcClient();
  if (missing !== undefined) {
    await t.step({ name: `skipped: ${missing}`, ignore: true, fn() {} });
    return;
  }
  const port = freePort();
  const init = { collectorHostname: "127.0.0.1", collectorPort: port, nodeName: NODE };
  const [absent] = await findings(init);
  assert(absent?.includes(`127.0.0.1:${port} cannot connect`), `${absent}`);
  const { program, env } = PYTHON_WITH_GRPC;
  const child = new Deno.Command(program, {
    args: [new URL("cluster/collector.py", import.meta.url).pathname, `${port}`],
    env,
    ...{ stdin: "piped", stdout: "piped", stderr: "null" },
  }).spawn();
  const told: string[] = [];
  const reading = (async () => {
    for await (const line of lines(child.stdout)) told.push(line);
  })();
  try {
    await eventually("the collector", () => told.includes("ready") ? true : undefined);
    assertEquals(await findings(init), [
      `the cluster answers on 127.0.0.1:${port}; pods of node ${NODE}: 1`,
    ]);
    const asked = told.find((line) => line !== "ready");
    assert(asked?.includes(NODE) && asked.includes("ReplicationController"), `${asked}`);
  } finally {
    await child.stdin.close();
    await child.status;
    await reading;
  }
});
