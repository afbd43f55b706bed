// Dossiers of alerts that no system call made: audit events of Kubernetes and a plugin's events, by
// the built binary without a probe; and that of an alert that stands for many.
import { assert, assertEquals, assertIncludes } from "./live/expect.ts";
import { eventually, freePort, Saker } from "./live/saker.ts";
import { Place } from "./live/trigger.ts";

// deno-lint-ignore no-explicit-any -- What is asked for is JSON of many shapes.
type Json = any;

function rulesText(marker: string): string {
  return `- rule: Secret asked for
  desc: d
  condition: ka.verb=get and ka.target.resource=secrets and ka.target.namespace=${marker}
  output: "asked by %ka.user.name in %ka.target.namespace"
  priority: WARNING
  source: k8s_audit
- rule: Badge
  desc: d
  condition: webhook.number[/badge] > 1000
  output: "${marker} %webhook.path"
  priority: NOTICE
  source: webhook
`;
}

function secretAskedFor(namespace: string): string {
  const now = new Date().toISOString();
  return JSON.stringify({
    kind: "Event",
    apiVersion: "audit.k8s.io/v1",
    auditID: crypto.randomUUID(),
    stage: "ResponseComplete",
    requestURI: `/api/v1/namespaces/${namespace}/secrets/key`,
    verb: "get",
    user: { username: "eve", groups: ["people"] },
    sourceIPs: ["192.0.2.7"],
    objectRef: { resource: "secrets", namespace, name: "key", apiVersion: "v1" },
    responseStatus: { code: 200 },
    requestReceivedTimestamp: now,
    stageTimestamp: now,
  });
}

Deno.test("alerts of other sources have dossiers, and one that stands for many", async () => {
  await using place = new Place();
  const { marker } = place;
  const port = freePort();
  const [config, rules] = [place.file("falco.yaml"), place.file("rules.yaml")];
  Deno.writeTextFileSync(
    config,
    `plugins:
  - name: webhook
    open_params: http://127.0.0.1:${port}/hook
json_output: true
grouping: { enabled: true, window: 1s, fields: [webhook.path] }
`,
  );
  Deno.writeTextFileSync(rules, rulesText(marker));
  await using saker = Saker.launch([marker], {
    args: ["-c", config, "-r", rules, "--enable-source=webhook", "--enable-source=k8s_audit"],
  });
  await eventually("the webhook to listen", () => saker.told.includes("listening at") || undefined);
  const ask = async (path: string): Promise<Json> =>
    await (await fetch(`http://127.0.0.1:${saker.port}${path}`)).json();
  const post = async (url: string, body: string) => {
    const headers = { "content-type": "application/json" };
    const response = await fetch(url, { method: "POST", headers, body });
    await response.body?.cancel();
    return response.ok || undefined;
  };
  const audit = `http://127.0.0.1:${saker.port}/k8s-audit`;
  await eventually("the audit event to be taken", () => post(audit, secretAskedFor(marker)));
  const held = await eventually("its alert", async () => {
    return (await ask(`/alerts/recent?source=k8s_audit&search=${marker}`)).alerts[0]?.alert;
  });
  const { dossier } = await ask(`/alerts/${held.id}`);
  assertEquals(dossier.processes, null);
  assertEquals(
    ["ka.verb", "ka.user.name", "ka.target.name"].map((name) => dossier.fields[name]),
    ["get", "eve", "key"],
  );
  assertEquals(dossier.why.tree.children.map(({ holds }: Json) => holds), [true, true, true]);
  assertEquals([dossier.rule.source, dossier.rule.line], ["k8s_audit", 1]);

  const hook = `http://127.0.0.1:${port}/hook`;
  // The first goes out by itself; one that stands for those behind it comes with the window's end.
  // On a busy machine a dossier may find the budget of its second spent.
  const many = await eventually("an alert that stands for others, with a dossier", async () => {
    await post(hook, '[{"badge":4712}]');
    await new Promise((resolve) => setTimeout(resolve, 200));
    const grouped = saker.alerts().filter((alert) => (alert as Json).count > 1) as Json[];
    const last = grouped.at(-1);
    const answer = last === undefined ? undefined : await ask(`/alerts/${last.id}`);
    return answer?.dossier ? answer : undefined;
  });
  assertEquals(many.alert.rule, "Badge");
  assertIncludes(many.dossier.rule.text, "- rule: Badge");
  const [check] = [many.dossier.why.tree];
  assertEquals([check.kind, check.holds, check.values[0].is], ["check", true, "4712"]);
  assert(many.dossier.fields["evt.num"] > 0);
});
