// What a host's word for itself and a bundle say together.
import { deepStrictEqual, match, strictEqual } from "node:assert";
import { parsePresence } from "../../fleet/contract/presence.ts";
import type { Contents } from "../../rollout/contents.ts";
import { placeOf } from "../../rollout/share.ts";
import { standingOf } from "./rollout_status.ts";

const NOW = Date.parse("2026-11-27T09:00:00Z");
const names = Array.from({ length: 100 }, (_, at) => `node-${at}`);
const INSIDE = names.find((name) => placeOf("fleet", name) < 33)!;
const OUTSIDE = names.find((name) => placeOf("fleet", name) >= 33)!;

const BUNDLE: Contents = {
  ...{ kind: "rules", name: "fleet", serial: 8, share: 33, combine: "after" },
  ...{ issuedMs: NOW, expiresMs: NOW + 1_000, hosts: [], labels: [] },
  files: [{ name: "a.yaml", text: "" }],
};

const FLEET_8 = { name: "fleet", serial: 8 };

interface Said {
  readonly host?: string;
  readonly state?: string;
  readonly agoS?: number;
  readonly rollout?: unknown;
  /** Of configuration; undefined: it tells nothing of it. */
  readonly config?: unknown;
  readonly refused?: unknown;
}

function standing(
  { host = INSIDE, state = "running", agoS = 1, rollout = null, refused = null, config }: Said,
  bundle: Partial<Contents> = {},
) {
  const at = new Date(NOW - agoS * 1000).toISOString();
  const text = JSON.stringify({ host, state, at, every: 30, rules: { rollout, refused }, config });
  return standingOf(parsePresence(text)!, { ...BUNDLE, ...bundle }, NOW);
}

Deno.test("how a host stands to a bundle", () => {
  strictEqual(standing({ rollout: FLEET_8 }).standing, "has");
  // It had it before the share was made smaller.
  strictEqual(standing({ host: OUTSIDE, rollout: FLEET_8 }).standing, "has");
  strictEqual(standing({ host: OUTSIDE }).standing, "waits");
  strictEqual(standing({ host: OUTSIDE }, { share: 100 }).standing, "behind");
  strictEqual(standing({ rollout: { name: "fleet", serial: 7 } }).standing, "behind");
  strictEqual(standing({ rollout: { name: "other", serial: 8 } }).standing, "behind");
  strictEqual(standing({ rollout: FLEET_8, agoS: 89 }).standing, "has");
  strictEqual(standing({ rollout: FLEET_8, agoS: 91 }).standing, "silent");
  strictEqual(standing({ state: "stopped", agoS: 9_999 }).standing, "stopped");
  const refused = standing({ refused: { serial: 8, why: "no macro m" } });
  deepStrictEqual([refused.standing, refused.why], ["refused", "no macro m"]);
  // What nobody signed says nothing of the bundle that is looked for.
  strictEqual(standing({ rollout: FLEET_8, refused: { serial: 0, why: "x" } }).standing, "has");
  strictEqual(standing({ refused: { serial: 0, why: "x" } }).why, "it refused another one: x");
  strictEqual(standing({}, { labels: ["env=prod"], share: 100 }).standing, "open");
  strictEqual(standing({ rollout: FLEET_8 }, { files: [] }).standing, "behind");
  strictEqual(standing({}, { files: [] }).standing, "has");
});

Deno.test("how a host stands to a bundle of configuration", () => {
  const config: Partial<Contents> = { kind: "config", serial: 3 };
  const fleet3 = { name: "fleet", serial: 3 };
  // What it has of rules says nothing.
  const said = { rollout: FLEET_8, refused: { serial: 3, why: "of rules" } };
  const has = standing({ ...said, config: { rollout: fleet3, refused: null } }, config);
  deepStrictEqual([has.standing, has.has], ["has", fleet3]);
  const own = { rollout: null, refused: null };
  strictEqual(standing({ ...said, config: own }, config).standing, "behind");
  strictEqual(standing({ ...said, host: OUTSIDE, config: own }, config).standing, "waits");
  const refused = { rollout: null, refused: { serial: 3, why: "no such key" } };
  deepStrictEqual(standing({ ...said, config: refused }, config).why, "no such key");
  const none = standing({ rollout: fleet3 }, config);
  strictEqual(none.standing, "behind");
  match(none.why!, /takes no configuration \(rollout\.config_source\)/);
  strictEqual(standing({ host: OUTSIDE }, config).standing, "waits");
});
