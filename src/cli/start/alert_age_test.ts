// Ages of alerts by a clock with fractions, and what becomes of it when the system's is set anew.
import { deepStrictEqual, strictEqual } from "node:assert";
import { Latencies } from "../../engine/contract/latencies.ts";
import { preciseClock, tellAge } from "./alert_age.ts";

Deno.test("the clock has fractions, and follows the system's where that was set anew", () => {
  const time = { coarse: 1000, fine: 7.25 };
  const clock = preciseClock(() => time.coarse, () => time.fine);
  const at = (coarse: number, fine: number) => {
    Object.assign(time, { coarse, fine });
    return clock();
  };
  deepStrictEqual([at(1000, 7.75), at(1001, 8.5), at(1001, 9)], [1000.5, 1001.25, 1001.75]);
  // An hour later, of which the fine clock knows nothing, and back.
  strictEqual(at(3_601_001, 9.5), 3_601_001);
  strictEqual(at(3_601_002, 10.5), 3_601_002);
  strictEqual(at(1002, 11), 1002);
});

Deno.test("each message counts with its age", () => {
  const latencies = new Latencies();
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  const message = { text: "", priority: 4, hostname: "h" };
  tellAge(latencies)([
    { ...message, time: nowNs - 3_600_000_000_000n },
    { ...message, time: nowNs + 3_600_000_000_000n },
  ]);
  strictEqual(latencies.count, 2);
  strictEqual(latencies.percentile(1)! >= 3_600_000, true);
  strictEqual(latencies.atMost(0), 1);
});
