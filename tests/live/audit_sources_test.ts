// Rules of both sources in one saker: system calls of this host and audit events that are posted
// are judged side by side, new rules reach both at once, and a flood of the one does not silence
// the other.
import { assert, assertEquals } from "./expect.ts";
import { eventually, freePort, Saker } from "./saker.ts";
import { isRoot, Place, shell, triggersOf } from "./trigger.ts";

function rules(marker: string, word: string): string {
  return `- rule: Marked file opened
  desc: d
  condition: evt.type in (open, openat) and fd.name contains ${marker} and ${triggersOf(marker)}
  output: "${word} %fd.name"
  priority: NOTICE
- rule: Marked request
  desc: d
  condition: ka.user.name = ${marker}
  output: "${word} %ka.user.name %ka.auditid"
  priority: NOTICE
  source: k8s_audit
`;
}

function event(marker: string, id: string): string {
  return `{"kind":"Event","auditID":"${id}","stage":"ResponseComplete","verb":"get",` +
    `"user":{"username":"${marker}"},"stageTimestamp":"2026-01-02T03:04:05Z"}`;
}

Deno.test({
  name: "system calls and audit events are judged side by side, by rules that change at once",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const { marker } = place;
    const port = freePort();
    const config = place.file("falco.yaml");
    Deno.writeTextFileSync(
      config,
      `load_plugins: [k8saudit]
plugins:
  - name: k8saudit
    library_path: libk8saudit.so
    open_params: "http://127.0.0.1:${port}/k8s-audit"
json_output: true
`,
    );
    const file = place.file("rules.yaml");
    Deno.writeTextFileSync(file, rules(marker, "first"));
    await using saker = await Saker.start([marker], { args: ["-c", config, "-r", file] });
    const post = async (body: string) => {
      const response = await fetch(`http://127.0.0.1:${port}/k8s-audit`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      await response.body?.cancel();
      return response.status;
    };
    await eventually("the audit server", async () => {
      try {
        return await post(event("nobody", "0")) === 200 || undefined;
      } catch {
        return undefined;
      }
    });
    const seen = (source: string, word: string, what = "") =>
      eventually(
        `an alert of ${source} by the rules "${word}"`,
        () =>
          saker.alerts().find((alert) =>
            alert.source === source && alert.output.includes(`${word} `) &&
            alert.output.includes(what)
          ),
      );
    const open = (name: string) => shell(marker, `true < ${name}`);
    const marked = place.file("marked");
    Deno.writeTextFileSync(marked, "");

    await open(marked);
    assertEquals(await post(event(marker, "one")), 200);
    assertEquals((await seen("syscall", "first")).rule, "Marked file opened");
    assertEquals((await seen("k8s_audit", "first", "one")).rule, "Marked request");
    assertEquals(await post("{"), 400);

    Deno.writeTextFileSync(file, rules(marker, "second"));
    await eventually("the new rules", async () => {
      assertEquals(await post(event(marker, "two")), 200);
      await open(marked);
      const found = (source: string) =>
        saker.alerts().some((alert) => alert.source === source && alert.output.includes("second "));
      return (found("syscall") && found("k8s_audit")) || undefined;
    });

    // Many events that no rule wants, while the host goes on.
    const flood = `[${Array(2_000).fill(event("nobody", "x")).join(",")}]`;
    const floods = Array.from({ length: 8 }, () => post(flood));
    const other = place.file("other");
    Deno.writeTextFileSync(other, "");
    await open(other);
    await seen("syscall", "second", other);
    assert((await Promise.all(floods)).every((status) => status === 200 || status === 429));

    const audit = await eventually("the counts", async () => {
      const body = (await saker.health())?.body["k8s_audit"] as
        | { judged: { rules: number; malformed: number; events: number } }
        | undefined;
      // Told once a second.
      return (body?.judged.malformed ?? 0) > 0 ? body?.judged : undefined;
    });
    assertEquals([audit.rules, audit.malformed], [1, 1]);
  },
});
