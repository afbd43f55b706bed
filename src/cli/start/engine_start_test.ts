// What the engine is started with, by configuration and flags: dossiers of alerts are made where
// somebody could look at them.
import { deepStrictEqual } from "node:assert";
import { readConfig } from "../../config/read_config.ts";
import { Counters } from "../../engine/contract/counters.ts";
import type { EngineStart, RulesStart } from "../../engine/contract/messages.ts";
import { engineSettings, engineStart } from "./engine_start.ts";

const FLAGS = {
  ...{ rules: [], option: [], validate: [] },
  ...{ enableSource: [], disableSource: [] },
};

function configOf(options: readonly string[]) {
  return readConfig({ file: undefined, options, environment: () => undefined }).config;
}

function hasDossiers(
  options: readonly string[],
  source: EngineStart["source"],
  more: Partial<Pick<EngineStart, "record">> = {},
): boolean {
  const { dossiers } = engineStart(configOf(options), FLAGS, {
    counters: new Counters(),
    source,
    rules: { files: [] } as unknown as RulesStart,
    hostname: "h",
    ...more,
  });
  return dossiers !== undefined;
}

Deno.test("dossiers are made where a web server can tell of them, and nowhere else", () => {
  const [nothing, audit] = [{ kind: "nothing" }, { kind: "audit", eventBytesMax: 1 }] as const;
  const off = ["webserver.enabled=false"];
  const record = { path: "-", compression: 0 };
  deepStrictEqual(
    [
      hasDossiers([], nothing),
      hasDossiers([], audit),
      hasDossiers(off, nothing),
      hasDossiers(["webserver.dossiers=false"], nothing),
      hasDossiers([], { kind: "capture", files: [] }),
      hasDossiers([], { ...audit, files: ["audit.log"] }),
      hasDossiers([], nothing, { record }),
    ],
    [true, true, false, false, false, false, false],
  );
  const listen = { address: "127.0.0.1", port: 1 };
  deepStrictEqual(
    [{}, { listen }].map((flags) => engineSettings(configOf(off), flags).dossiers !== undefined),
    [false, true],
  );
});
