// What was known of containers stands in a recording: held against its own replay it gives the same
// alerts, with the same metadata.
import { assert, assertEquals } from "./expect.ts";
import { recorded } from "./recording.ts";
import { IMAGE } from "./runtimes/image.ts";
import { asking, PATIENT, telling } from "./runtimes/watched.ts";
import { withRuntime } from "./runtimes/with_runtime.ts";
import { type Alert, runSaker } from "./saker.ts";

const executed = (mark: string) => (more: string) => `/bin/sh -c true ${mark}${more}`;

Deno.test("a recording with containers gives its alerts and their metadata again", async (t) => {
  await withRuntime(t, "docker", async (docker, place) => {
    const settings = [
      ...asking(place, { docker: [docker.socket] }),
      ...telling(place),
      ...PATIENT,
    ];
    const start = (mark: string, ...options: readonly string[]) =>
      docker.must(
        ...["run", "--rm", "--network=none", "--name", mark, ...options],
        ...[IMAGE, "sh", "-c", ["", "-again"].map(executed(mark)).join("; ")],
      );
    // One from before, and several at once.
    const before = place.mark("before");
    const ticks = `while :; do /bin/sh -c true ${before}; sleep 0.1; done`;
    await docker.must(
      ...["run", "--detach", "--network=none", "--name", before, IMAGE, "sh", "-c", ticks],
    );
    const capture = place.file("trace.scap");
    const { code, stdout, told } = await recorded(capture, settings, async () => {
      await Promise.all([
        start(place.mark("red"), "--label", "team=red"),
        start(place.mark("rights"), "--privileged", "-v", "/etc:/host/etc:ro"),
      ]);
      await start(place.mark("plain"));
    });
    assertEquals(code, 0, told.join("\n"));
    const ofTest = (text: string) => text.split("\n").filter((line) => line.includes(place.marker));
    const live = ofTest(stdout);
    const replayed = await runSaker([...settings, "replay", capture]);
    assertEquals(replayed.code, 0, replayed.stderr);
    assertEquals(ofTest(replayed.stdout), live);
    const alerts = live.map((line) => JSON.parse(line) as Alert);
    for (const name of ["before", "red", "rights", "plain"].map((one) => place.mark(one))) {
      const own = alerts.filter(({ output_fields }) => output_fields["container.name"] === name);
      assert(own.some(({ rule }) => rule === "In a container"), `${name}: ${live.length} alerts`);
      assert(own.every(({ output_fields }) => output_fields["container.image.tag"] === "1"));
    }
    const rules = new Set(alerts.map(({ rule }) => rule));
    for (const rule of ["Of red", "Privileged", "Host's etc"]) assert(rules.has(rule), rule);
    assert(!rules.has("Not from here"), live.join("\n"));
  });
});
