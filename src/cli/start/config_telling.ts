// The configuration in force as JSON (GET /config): what was read, where each value came from, what
// was wrong with it and what was refused since. Secrets are left out.
import type { PlacedFate } from "../../config/read_config.ts";
import { keyText } from "../../config/problem.ts";
import { valueAt } from "../../config/fates.ts";
import type { Config } from "../../config/schema.ts";
import { shownText, shownValue } from "../../config/secrets.ts";
import type { ConfigAnswer, ConfigKeyJson } from "../../server/told/answers.ts";
import type { LoadedConfig } from "./load_config.ts";
import type { FilesInForce, ReloadState } from "./reloads.ts";

/** Refused reloads that are told of. */
const REFUSALS_MAX = 16;
const WARNINGS_MAX = 1_000;

export class ConfigTelling {
  #loaded: LoadedConfig;
  #state: ReloadState | undefined;
  readonly #refused: { readonly at: string; readonly error: string }[] = [];

  constructor(loaded: LoadedConfig) {
    this.#loaded = loaded;
  }

  /** What holds now; `files` where others are in force. */
  onReloadState(state: ReloadState, files: FilesInForce | undefined, nowMs: number): void {
    if (files !== undefined) this.#loaded = files.loaded;
    if (state.refusal !== undefined && state.refusals !== this.#state?.refusals) {
      const at = new Date(nowMs).toISOString();
      this.#refused.push({ at, error: shownText(state.refusal) });
      if (this.#refused.length > REFUSALS_MAX) this.#refused.shift();
    }
    this.#state = state;
  }

  /** `warnings`: of the rules in force. */
  answer(warnings: readonly string[]): ConfigAnswer {
    const { config, files, fates, problems } = this.#loaded;
    const { generation, atMs, sha256, refusals, restart } = this.#state ?? BEFORE;
    return {
      files,
      keys: [...fates.map((fate) => given(fate, config)), ...defaults(fates, config)],
      problems: problems.map(shownText),
      rules_warnings: warnings.slice(0, WARNINGS_MAX),
      reload: {
        generation,
        since: new Date(atMs).toISOString(),
        sha256: sha256 ?? null,
        refusals,
        refused: this.#refused,
        restart,
      },
    };
  }
}

const BEFORE = { generation: 1, atMs: 0, sha256: undefined, refusals: 0, restart: [] };

function given({ key, path, value, where, fate, why, told, restart }: PlacedFate, config: Config) {
  const reason = told ?? why;
  return {
    key,
    value: shownValue(key, valueAt(config, path) ?? value),
    where: shownText(where),
    fate,
    why: reason === undefined ? null : shownText(reason),
    restart,
  };
}

/** Keys that nobody gave, by what holds then. */
function defaults(fates: readonly PlacedFate[], config: Config): ConfigKeyJson[] {
  const known = new Set(fates.map(({ key }) => key));
  const found: ConfigKeyJson[] = [];
  const walk = (value: unknown, path: readonly string[]): void => {
    const key = keyText(path);
    if (known.has(key) || value === undefined) return;
    const isGroup = typeof value === "object" && value !== null && !Array.isArray(value);
    if (isGroup && Object.keys(value).length > 0) {
      for (const [name, inner] of Object.entries(value)) walk(inner, [...path, name]);
      return;
    }
    const shown = shownValue(key, value);
    found.push({ key, value: shown, where: "default", fate: null, why: null, restart: false });
  };
  walk(config, []);
  return found;
}
