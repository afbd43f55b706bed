// A plugin with the id 0 gives events of system calls where no driver does (engine.kind: nodriver):
// they are judged as any, over the threads of this machine; with a driver it is told that it is not
// opened.
import { match } from "node:assert";
import { cPlugin } from "../plugins/build.ts";
import { assertEquals } from "./expect.ts";
import { eventually, Saker } from "./saker.ts";
import { isRoot, Place } from "./trigger.ts";

const EVENTS = 5;

async function configured(place: Place, kind: string): Promise<string[]> {
  const config = place.file(`${kind}.yaml`);
  const library = await cPlugin("calls");
  const params = `tid=${Deno.pid} path=${place.file(`${place.marker}-`)} count=${EVENTS}`;
  Deno.writeTextFileSync(
    config,
    `engine: {kind: ${kind}}
plugins: [{name: calls, library_path: ${library}, open_params: "${params}"}]
json_output: true
`,
  );
  const rules = place.file("rules.yaml");
  Deno.writeTextFileSync(
    rules,
    `- rule: Opened by the plugin
  desc: d
  condition: evt.type = openat and evt.is_open_read = true and fd.name contains ${place.marker}
  output: "%fd.name %fd.num %proc.pid %proc.name %evt.source"
  priority: NOTICE
`,
  );
  return ["-c", config, "-r", rules];
}

Deno.test({
  name: "a plugin gives system calls of this machine's threads where no driver does",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const args = await configured(place, "nodriver");
    await using saker = await Saker.start([place.marker], { args });
    const seen = await eventually("the alerts", () => {
      const alerts = saker.alerts();
      return alerts.length >= EVENTS ? alerts : undefined;
    });
    const comm = Deno.readTextFileSync("/proc/self/comm").trim();
    assertEquals(
      seen.map(({ output_fields: fields }) => [
        fields["fd.name"],
        fields["fd.num"],
        fields["proc.pid"],
        fields["proc.name"],
        fields["evt.source"],
      ]),
      Array.from(
        { length: EVENTS },
        (_, at) => [place.file(`${place.marker}-${at}`), 100 + at, Deno.pid, comm, "syscall"],
      ),
    );
    const { plugins } = await eventually("health of the plugin", async () => {
      const body = (await saker.health())?.body as unknown as Health;
      return body.plugins?.length === 1 ? body : undefined;
    });
    assertEquals(
      plugins,
      [{ name: "calls", source: "syscall", state: "running", errors: 0 }].map(
        (expected) => ({ ...plugins[0]!, ...expected }),
      ),
    );
    assertEquals((await saker.stop()).code, 0);
  },
});

Deno.test({
  name: "a plugin that gives system calls is told not to be opened beside a driver",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const args = await configured(place, "modern_ebpf");
    await using saker = await Saker.start([place.marker], { args });
    match(saker.told, /Warning: plugin calls gives system calls itself: it is opened with engine/);
    assertEquals((await saker.stop()).code, 0);
  },
});

interface Health {
  readonly plugins: readonly {
    readonly name: string;
    readonly source: string;
    readonly state: string;
    readonly errors: number;
  }[];
}
