// Each default rule fires on the built binary when a program does what the rule is about.
import { CASES } from "./default_rules_cases.ts";
import { assert, assertEquals } from "./expect.ts";
import { Saker } from "./saker.ts";
import { isRoot, Place } from "./trigger.ts";

Deno.test({
  name: "the default rules fire on what they are about",
  ignore: !isRoot(),
  async fn(t) {
    await using place = new Place();
    await using saker = await Saker.start([place.marker]);
    for (const [index, { rule, by, trigger, without }] of CASES.entries()) {
      await t.step({
        name: `${rule}: ${by}`,
        ignore: without?.() !== undefined,
        async fn() {
          const marker = place.mark(`${index}x`);
          await trigger(marker, place);
          const alert = await saker.alert(rule, marker);
          assertEquals(alert.source, "syscall");
          assert(!alert.output.includes("%"), "every field of the output is known");
        },
      });
    }
  },
});
