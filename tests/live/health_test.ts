// Whether saker says truly that it sees.
import { assert, assertEquals } from "./expect.ts";
import { eventually, isWell, Saker } from "./saker.ts";
import { compiled, has, isRoot, Place, run, shell } from "./trigger.ts";

Deno.test({
  name: "a healthy saker says what its health rests on",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    await using saker = await Saker.start([place.marker]);
    const { status, body } = (await saker.health())!;
    assertEquals(status, 200);
    assert(isWell(body), `${body.status}: ${body.reason}`);
    const programs = body.programs as { attached: number; wanted: number };
    assert(programs.wanted > 0 && programs.attached === programs.wanted);
    assert(typeof body.rules === "number" && body.rules > 20);
    await shell(place.marker, ":");
    await eventually("an event to be counted", async () => {
      const { events } = (await saker.health())!.body;
      return typeof events === "number" && events > 0 ? true : undefined;
    });
    const versions = await fetch(`http://127.0.0.1:${saker.port}/versions`);
    assertEquals(versions.status, 200);
    await versions.body?.cancel();
  },
});

Deno.test({
  name: "a saker whose probe was taken away says that it is blind, and why",
  ignore: !isRoot() || !has("cc") || Deno.build.arch !== "x86_64",
  async fn() {
    await using place = new Place();
    await using saker = await Saker.start([place.marker]);
    const program = await compiled(place, "detach");
    const { code, stderr } = await run(program, [`${saker.pid}`]);
    assert(code === 0, stderr);
    const { body } = await eventually("saker to notice", async () => {
      const health = await saker.health();
      // That no event comes from a busy machine may be seen before it.
      const says = health?.status === 503 && `${health.body.reason}`.includes("detached");
      return says ? health : undefined;
    });
    assert(body.status !== "ok");
  },
});
