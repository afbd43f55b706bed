// The configuration as /config tells it: what was given and what was not, refused reloads, and no
// secrets.
import { deepStrictEqual, doesNotMatch, strictEqual } from "node:assert";
import { problemLine } from "../../config/problem.ts";
import { readConfig } from "../../config/read_config.ts";
import { ConfigTelling } from "./config_telling.ts";
import type { LoadedConfig } from "./load_config.ts";
import type { ReloadState } from "./reloads.ts";

function loaded(options: readonly string[]): LoadedConfig {
  const { config, files, fates, problems } = readConfig({
    file: undefined,
    options,
    environment: () => undefined,
  });
  return {
    ...{ config, files, fates, sources: [], jsonAlerts: true, notices: [] },
    problems: problems.map(problemLine),
  };
}

const STATE: ReloadState = { generation: 1, sha256: "s", atMs: 0, refusals: 0, restart: [] };

Deno.test("each key is told once, with its value in force and where it came from", () => {
  const telling = new ConfigTelling(
    loaded(["json_output=yes", "webserver.token=hidden-abcdefghijklmnop", "no_such_key=1"]),
  );
  const { keys, files } = telling.answer([]);
  deepStrictEqual(files, []);
  const named = (name: string) => keys.filter(({ key }) => key === name);
  deepStrictEqual(named("json_output").map(({ value, where, fate }) => [value, where, fate]), [
    [true, "-o json_output", "honoured"],
  ]);
  deepStrictEqual(named("webserver.token").map(({ value, where }) => [value, where]), [
    ["(not shown)", "-o webserver.token"],
  ]);
  deepStrictEqual(named("webserver.dossiers").map(({ value, where }) => [value, where]), [
    [true, "default"],
  ]);
  strictEqual(new Set(keys.map(({ key }) => key)).size, keys.length);
  doesNotMatch(JSON.stringify(keys), /hidden/);
});

Deno.test("refused reloads are told with their reason, the last of them", () => {
  const telling = new ConfigTelling(loaded([]));
  telling.onReloadState(STATE, undefined, 0);
  for (let refusals = 1; refusals <= 20; refusals++) {
    const refusal = `r.yaml:${refusals}: wrong`;
    telling.onReloadState({ ...STATE, refusals, refusal }, undefined, refusals * 1_000);
    // Told once more, it is no other.
    telling.onReloadState({ ...STATE, refusals, refusal }, undefined, refusals * 1_000);
  }
  const { reload, rules_warnings } = telling.answer(["odd"]);
  deepStrictEqual([reload.refusals, reload.refused.length, rules_warnings], [20, 16, ["odd"]]);
  deepStrictEqual(reload.refused.at(-1), {
    at: "1970-01-01T00:00:20.000Z",
    error: "r.yaml:20: wrong",
  });
});
