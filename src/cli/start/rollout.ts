// Rules and configuration from elsewhere in a watch: what was kept holds from the start, a thread
// follows the sources, and what it offers goes the way of every reload: it is tried aside, and
// exchanged between two events or refused (docs/rollout.md).
import type { AfarText } from "../../config/from_afar.ts";
import { parseInterval } from "../../config/interval.ts";
import { natsUrlsOf } from "../../config/rollout_keys.ts";
import type { Config } from "../../config/schema.ts";
import { compileRules } from "../../engine/compile_rules.ts";
import type { RulesStart } from "../../engine/contract/messages.ts";
import { readKeyFile } from "../../files/read_text.ts";
import { BUNDLE_KINDS, type BundleKind, type Contents, LABEL } from "../../rollout/contents.ts";
import { readPublicKeys } from "../../rollout/keys.ts";
import { type KindReport, NOTHING_YET, type RolloutReport } from "../../rollout/report.ts";
import { type Kept, Store } from "../../rollout/store.ts";
import { type Bundles, settingsOf } from "../../rollout/with_bundle.ts";
import type { ReloadOutcome } from "../../server/reload.ts";
import type { Log } from "../log.ts";
import type { LoadedConfig } from "./load_config.ts";
import { natsOptionsOf } from "./nats.ts";
import type { OwnAlert } from "./own_alerts.ts";
import type { RolloutNews, RolloutOrder, RolloutStart, SourceStart } from "./rollout_worker.ts";

const KEY_BYTES_MAX = 64 << 10;
const PEM_BYTES_MAX = 4 << 20;

/** What `Reloads` asks and tells. */
export interface RolledOut {
  /** What is to be in force beside what the host has by itself. */
  current(): Bundles;
  /** What came of a reload with it; true where it was an offer, which who follows tells of. */
  settled(used: Bundles, error: string | undefined): boolean;
}

type Reload = (who: string) => Promise<ReloadOutcome>;

export interface Followed {
  readonly log: Log;
  readonly tell: (alert: OwnAlert) => void;
  /** Another bundle is in force, or one was refused. */
  readonly changed?: () => void;
}

const shown = (report: KindReport | undefined) =>
  JSON.stringify([report?.in_force, report?.waits, report?.refused]);

export class Rollout implements RolledOut {
  readonly #start: RolloutStart;
  #inForce: Bundles;
  /** One at a time. */
  #offered: Contents | undefined;
  #taking: Promise<void> = Promise.resolve();
  #keptRefused: { [Kind in BundleKind]?: string } = {};
  #error: string | undefined;
  #report: RolloutReport;
  #worker: Worker | undefined;
  #failure: string | undefined;

  private constructor(start: RolloutStart, kept: { readonly [Kind in BundleKind]?: Kept }) {
    this.#start = start;
    const all = BUNDLE_KINDS.map((kind) => [kind, kept[kind]?.bundle?.contents] as const);
    this.#inForce = Object.fromEntries(all.filter(([, contents]) => contents !== undefined));
    this.#report = Object.fromEntries(Object.keys(kept).map((kind) => [kind, NOTHING_YET]));
  }

  /** Throws one line where the configuration cannot be right. */
  static async of(config: Config, hostname: string, log: Log): Promise<Rollout> {
    const { public_keys, name, every, directory, labels } = config.rollout;
    if (public_keys.length === 0) {
      throw new Error("rollout.public_keys: expected a file at least, since there is a source");
    }
    const wrong = labels.find((label) => !LABEL.test(label));
    if (wrong !== undefined) {
      throw new Error(`rollout.labels: expected KEY=VALUE such as env=prod, found "${wrong}"`);
    }
    const pem = public_keys.map((file) => readKeyFile("rollout.public_keys", file, KEY_BYTES_MAX))
      .join("\n");
    const keys = await readPublicKeys(pem).catch((error: Error) => {
      throw new Error(`rollout.public_keys: ${error.message}`);
    });
    const sources = sourcesOf(config.rollout);
    const kept: { [Kind in BundleKind]?: Kept } = {};
    for (const kind of BUNDLE_KINDS) {
      if (sources[kind] === undefined) continue;
      const one = kept[kind] = await new Store(directory, kind).read({ keys, name });
      if (one.warning !== undefined) log.warning(`Warning: rollout of ${kind}: ${one.warning}`);
    }
    const start = {
      sources,
      everyMs: parseInterval(every)!,
      directory,
      keys: pem,
      host: { name: hostname, labels },
      wantedName: name,
    };
    return new Rollout(start, kept);
  }

  /** The configuration for the start with what was kept; undefined where nothing was, or where it
   * is not taken, since a saker that does not start sees nothing. */
  beginConfig(load: (afar: AfarText) => LoadedConfig): LoadedConfig | undefined {
    const settings = settingsOf(this.#inForce.config);
    return settings && this.#begin("config", () => load(settings));
  }

  /** As `beginConfig`, for rules. */
  beginRules(make: (bundle: Contents | undefined) => RulesStart): RulesStart {
    const bundle = this.#inForce.rules;
    const tried = bundle && this.#begin("rules", () => {
      const rules = make(bundle);
      compileRules(rules);
      return rules;
    });
    return tried ?? make(undefined);
  }

  #begin<T>(kind: BundleKind, make: () => T): T | undefined {
    try {
      return make();
    } catch (error) {
      this.#keptRefused[kind] = (error as Error).message;
      const { [kind]: _, ...others } = this.#inForce;
      this.#inForce = others;
      return undefined;
    }
  }

  current(): Bundles {
    const offered = this.#offered;
    return offered === undefined ? this.#inForce : { ...this.#inForce, [offered.kind]: offered };
  }

  settled(used: Bundles, error: string | undefined): boolean {
    const offered = this.#offered;
    if (offered !== undefined && used[offered.kind] === offered) {
      this.#offered = undefined;
      this.#error = error;
      if (error === undefined) this.#inForce = used;
      return true;
    }
    if (error === undefined) this.#send({ order: "again" });
    return false;
  }

  /** Follows the sources from now on. */
  follow(reload: Reload, { log, tell, changed }: Followed): void {
    const url = new URL("./rollout_worker.ts", import.meta.url);
    const worker = this.#worker = new Worker(url, { type: "module" });
    const fail = (reason: string) => {
      this.#failure = `the source is followed no more: ${reason}`;
      log.warning(`Warning: rollout: ${this.#failure}`);
    };
    worker.onmessage = ({ data }: MessageEvent<RolloutNews>) => {
      if (data.news === "report") {
        const before = shown(this.#report[data.kind]);
        this.#report = { ...this.#report, [data.kind]: data.report };
        if (shown(data.report) !== before) changed?.();
      } else if (data.news === "log") {
        log[data.level](data.level === "info" ? data.line : `Warning: ${data.line}`);
      } else if (data.news === "refused") tell({ subject: "rollout refused", message: data.line });
      // A reload never rejects.
      else this.#taking = this.#taking.then(() => this.#take(data.contents, reload));
    };
    worker.onmessageerror = () => fail("what its thread said cannot be read");
    worker.onerror = (event) => {
      event.preventDefault();
      fail(event.message);
    };
    this.#send({ order: "start", start: this.#start, keptRefused: this.#keptRefused });
  }

  report(): RolloutReport {
    return this.#report;
  }

  troubles(): string[] {
    const lines = BUNDLE_KINDS.flatMap((kind) => {
      const { refused, trouble } = this.#report[kind] ?? NOTHING_YET;
      const expires = this.#inForce[kind]?.expiresMs ?? Infinity;
      return [
        ...(refused === null ? [] : [`a bundle was refused: ${refused.told}`]),
        ...(trouble === null ? [] : [trouble]),
        ...(expires < Date.now() ? ["what is in force has expired, and nothing newer came"] : []),
      ].map((line) => `rollout of ${kind}: ${line}`);
    });
    return [...lines, ...(this.#failure === undefined ? [] : [`rollout: ${this.#failure}`])];
  }

  close(): void {
    this.#worker?.terminate();
  }

  async #take(contents: Contents, reload: Reload): Promise<void> {
    const { kind, name, serial } = contents;
    this.#offered = contents;
    const outcome = await reload(`Bundle ${name} ${serial} of ${kind}`);
    // Where saker ends, nothing was settled.
    const isSettled = this.#offered === undefined;
    this.#offered = undefined;
    const refused = this.#error ?? (outcome.reloaded ? undefined : outcome.error);
    this.#send({
      order: "outcome",
      kind,
      outcome: !isSettled ? undefined : refused === undefined ? {} : { refused },
    });
  }

  #send(order: RolloutOrder): void {
    this.#worker?.postMessage(order);
  }
}

function sourcesOf(keys: Config["rollout"]): RolloutStart["sources"] {
  const { source, config_source } = keys;
  return {
    ...(source === "" ? {} : { rules: sourceOf(source, keys) }),
    ...(config_source === "" ? {} : { config: sourceOf(config_source, keys) }),
  };
}

function sourceOf(source: string, keys: Config["rollout"]): SourceStart {
  const { ca_cert, token_file, bucket } = keys;
  const url = natsUrlsOf(source);
  if (url !== undefined) {
    const access = { ...keys, url };
    // What cannot be used is an error now.
    natsOptionsOf("rollout", access, { name: "", timeoutMs: 0 });
    return { of: "nats", access, bucket };
  }
  return {
    of: "http",
    url: source,
    ...(ca_cert === "" ? {} : { caCert: readKeyFile("rollout.ca_cert", ca_cert, PEM_BYTES_MAX) }),
    ...(token_file === "" ? {} : { tokenFile: token_file }),
  };
}
