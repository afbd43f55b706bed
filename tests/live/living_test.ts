// Lives that a saker may have: another one beside it, and being stopped and continued. Each act is
// told by every saker that watches, and what happened while it stood is told afterwards.
import { assertEquals } from "./expect.ts";
import { standStill } from "../patience.ts";
import { eventually, Saker } from "./saker.ts";
import { isRoot, Place, shell, triggersOf } from "./trigger.ts";

const RULE = "Made";

async function rulesOf(place: Place): Promise<string[]> {
  const item = {
    rule: RULE,
    desc: "A directory of this test.",
    condition: `evt.type in (mkdir, mkdirat) and ${triggersOf(place.marker)}`,
    output: "%evt.type %proc.cmdline",
    priority: "NOTICE",
  };
  await Deno.writeTextFile(place.file("rules.yaml"), JSON.stringify([item]));
  return ["-r", place.file("rules.yaml"), "-o", "json_output=true"];
}

Deno.test({
  name: "two sakers watch at once, and the end of one does not blind the other",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const args = await rulesOf(place);
    await using stays = await Saker.start([place.marker], { args });
    {
      await using ends = await Saker.start([place.marker], { args });
      await shell(place.mark("both"), `mkdir ${place.file("both")}`);
      await stays.alert(RULE, `${place.marker}/both`);
      await ends.alert(RULE, `${place.marker}/both`);
    }
    await shell(place.mark("one"), `mkdir ${place.file("one")}`);
    await stays.alert(RULE, `${place.marker}/one`);
    assertEquals((await stays.health())?.status, 200);
  },
});

Deno.test({
  name: "what happens while saker is stopped is told once it goes on, and it is well again",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    await using saker = await Saker.start([place.marker], { args: await rulesOf(place) });
    await standStill(saker.pid);
    try {
      await shell(place.mark("stopped"), `mkdir ${place.file("stopped")}`);
    } finally {
      Deno.kill(saker.pid, "SIGCONT");
    }
    await saker.alert(RULE, `${place.marker}/stopped`);
    await eventually(
      "it to be well",
      async () => (await saker.health())?.status === 200 || undefined,
    );
  },
});
