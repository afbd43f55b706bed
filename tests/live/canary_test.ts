// The canary through the built binary: it comes through, with an age and a latency, as no alert;
// and where saker is kept from seeing it, that is told.
import { assert, assertEquals } from "./expect.ts";
import { eventually, Saker } from "./saker.ts";
import { isRoot, Place } from "./trigger.ts";

interface Canary {
  readonly interval_s: number;
  readonly sent: number;
  readonly seen: number;
  readonly age_s: number | null;
  readonly latency_ms: number | null;
}

const RULES = JSON.stringify([{
  rule: "Never",
  desc: "Nothing.",
  condition: "evt.type = openat and fd.name = /never",
  output: "Never",
  priority: "NOTICE",
}]);

Deno.test({
  name: "a canary comes through the whole path, again and again, and is no alert",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    await Deno.writeTextFile(place.file("rules.yaml"), RULES);
    const args = ["--canary", "1s", "-r", place.file("rules.yaml"), "-o", "json_output=true"];
    await using saker = await Saker.start(["saker-canary-", "saker internal"], { args });
    const canary = await eventually("two canaries", async () => {
      const seen = (await saker.health())?.body.canary as Canary | undefined;
      return seen !== undefined && seen.seen >= 2 ? seen : undefined;
    });
    assertEquals(canary.interval_s, 1);
    assert(canary.sent >= canary.seen && canary.age_s !== null && canary.age_s < 30);
    assert(canary.latency_ms !== null && canary.latency_ms >= 0);
    assertEquals(saker.alerts(), []);
    const metrics = await (await fetch(`http://127.0.0.1:${saker.port}/metrics`)).text();
    assert(/^saker_canaries_seen_total [2-9]/m.test(metrics) || !metrics.includes("saker_"));
  },
});
