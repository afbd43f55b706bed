// A plugin that sends events of its own among system calls and listens to captures, without tables:
// it runs in a process of its own, is started anew when that is killed, and hears of the capture
// again then.
import { match } from "node:assert";
import { cPlugin } from "../plugins/build.ts";
import { assert, assertEquals } from "./expect.ts";
import { eventually, Saker } from "./saker.ts";
import { isRoot, Place } from "./trigger.ts";

const rules = (marker: string) =>
  `- rule: Tick
  desc: d
  condition: evt.type = ticks.tick and evt.is_async = true and ticks.text startswith 'pid='
  output: "${marker} %ticks.text %evt.source"
  priority: NOTICE
`;

Deno.test({
  name: "a plugin that sends events and listens does so in a process of its own, killed or not",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const { marker } = place;
    const config = place.file("falco.yaml");
    const library = await cPlugin("ticks");
    Deno.writeTextFileSync(
      config,
      `plugins: [{name: ticks, library_path: ${library}, init_config: tick=20}]\n` +
        "json_output: true\n",
    );
    const file = place.file("rules.yaml");
    Deno.writeTextFileSync(file, rules(marker));
    await using saker = await Saker.start([marker], { args: ["-c", config, "-r", file] });
    assert(!saker.told.includes("saker's own process"), saker.told);
    const texts = () =>
      saker.alerts().filter(({ rule }) => rule === "Tick").map(({ output_fields }) =>
        `${output_fields["ticks.text"]}`
      );
    const tick = (which: (pid: number, rounds: number) => boolean) =>
      eventually("a tick", () =>
        texts().map((text) => {
          const [, pid, opened, rounds] = /^pid=(\d+) opened=(\d+) rounds=(\d+)$/.exec(text)!;
          return { pid: Number(pid), opened, rounds: Number(rounds) };
        }).find(({ pid, rounds }) => which(pid, rounds)));
    const first = await tick((_, rounds) => rounds > 0);
    assertEquals(first.opened, "1");
    assert(first.pid !== saker.pid, `${first.pid}`);
    match(Deno.readTextFileSync(`/proc/${first.pid}/cmdline`), /^saker: plugin ticks\0/);
    match(Deno.readTextFileSync(`/proc/${first.pid}/stat`), new RegExp(`^\\d+ .* ${saker.pid} `));
    Deno.kill(first.pid, "SIGKILL");
    const second = await tick((pid, rounds) => pid !== first.pid && rounds > 0);
    assertEquals(second.opened, "1");
    const told = await eventually("the restart to be told", async () => {
      const { plugins } = (await saker.health())!.body as unknown as Health;
      return plugins.find(({ restarts, state }) => restarts === 1 && state === "running");
    });
    assertEquals([told.name, told.state, told.errors], ["ticks", "running", 1]);
    match(saker.told, /plugin ticks: its process was ended by signal 9 .*started anew in 1 s/);
    assertEquals((await saker.stop()).code, 0);
  },
});

interface Health {
  readonly plugins: readonly {
    readonly name: string;
    readonly state: string;
    readonly restarts: number;
    readonly errors: number;
  }[];
}
