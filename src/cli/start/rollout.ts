// Rules from elsewhere in a watch: what was kept holds from the start, a thread follows the source,
// and what it offers goes the way of every reload: it is tried aside, and exchanged between two
// events or refused (docs/rollout.md).
import { parseInterval } from "../../config/interval.ts";
import type { Config } from "../../config/schema.ts";
import { compileRules } from "../../engine/compile_rules.ts";
import type { RulesStart } from "../../engine/contract/messages.ts";
import { readKeyFile } from "../../files/read_text.ts";
import type { Contents } from "../../rollout/contents.ts";
import type { FollowNews, FollowOrder, FollowStart } from "../../rollout/follow_worker.ts";
import { readPublicKeys } from "../../rollout/keys.ts";
import { NOTHING_YET, type RolloutReport } from "../../rollout/report.ts";
import { LABEL } from "../../rollout/contents.ts";
import { type Kept, Store } from "../../rollout/store.ts";
import type { ReloadOutcome } from "../../server/reload.ts";
import type { Log } from "../log.ts";
import type { OwnAlert } from "./own_alerts.ts";

const KEY_BYTES_MAX = 64 << 10;
const PEM_BYTES_MAX = 4 << 20;

/** What `Reloads` asks and tells. */
export interface RolledOut {
  /** What is to be in force beside the host's own rules; undefined: nothing. */
  current(): Contents | undefined;
  /** What came of a reload with it; true where it was an offer, which who follows tells of. */
  settled(used: Contents | undefined, error: string | undefined): boolean;
}

export class Rollout implements RolledOut {
  readonly #start: FollowStart;
  #inForce: Contents | undefined;
  #offered: Contents | undefined;
  #keptRefused: string | undefined;
  #error: string | undefined;
  #report: RolloutReport = NOTHING_YET;
  #worker: Worker | undefined;
  #failure: string | undefined;

  private constructor(start: FollowStart, { bundle }: Kept) {
    this.#start = start;
    this.#inForce = bundle?.contents;
  }

  /** Undefined where none is configured. Throws one line where it cannot be right. */
  static async of(config: Config, hostname: string, log: Log): Promise<Rollout | undefined> {
    const { source, public_keys, name, every, directory, labels, ca_cert, token_file } =
      config.rollout;
    if (source === "") return undefined;
    if (public_keys.length === 0) {
      throw new Error("rollout.public_keys: expected a file at least, since there is a source");
    }
    const wrong = labels.find((label) => !LABEL.test(label));
    if (wrong !== undefined) {
      throw new Error(`rollout.labels: expected KEY=VALUE such as env=prod, found "${wrong}"`);
    }
    const keys = public_keys.map((file) => readKeyFile("rollout.public_keys", file, KEY_BYTES_MAX));
    const read = await readPublicKeys(keys.join("\n")).catch((error: Error) => {
      throw new Error(`rollout.public_keys: ${error.message}`);
    });
    const kept = await new Store(directory).read(read);
    if (kept.warning !== undefined) log.warning(`Warning: rollout: ${kept.warning}`);
    const start = {
      url: source,
      ...(ca_cert === "" ? {} : { caCert: readKeyFile("rollout.ca_cert", ca_cert, PEM_BYTES_MAX) }),
      ...(token_file === "" ? {} : { tokenFile: token_file }),
      everyMs: parseInterval(every)!,
      directory,
      keys: keys.join("\n"),
      host: { name: hostname, labels },
      wantedName: name,
    };
    return new Rollout(start, kept);
  }

  /** Rules for the start: with what was kept, or without it where they do not load together, since
   * a saker that does not start sees nothing. */
  begin(make: (bundle: Contents | undefined) => RulesStart): RulesStart {
    if (this.#inForce === undefined) return make(undefined);
    try {
      const rules = make(this.#inForce);
      compileRules(rules);
      return rules;
    } catch (error) {
      this.#keptRefused = (error as Error).message;
      this.#inForce = undefined;
      return make(undefined);
    }
  }

  current(): Contents | undefined {
    return this.#offered ?? this.#inForce;
  }

  settled(used: Contents | undefined, error: string | undefined): boolean {
    if (used !== undefined && used === this.#offered) {
      this.#offered = undefined;
      this.#error = error;
      if (error === undefined) this.#inForce = used;
      return true;
    }
    if (error === undefined) this.#send({ kind: "again" });
    return false;
  }

  /** Follows the source from now on. */
  follow(
    reload: (who: string) => Promise<ReloadOutcome>,
    { log, tell }: { readonly log: Log; readonly tell: (alert: OwnAlert) => void },
  ): void {
    const url = new URL("../../rollout/follow_worker.ts", import.meta.url);
    const worker = this.#worker = new Worker(url, { type: "module" });
    const fail = (reason: string) => {
      this.#failure = `the source is followed no more: ${reason}`;
      log.warning(`Warning: rollout: ${this.#failure}`);
    };
    worker.onmessage = ({ data }: MessageEvent<FollowNews>) => {
      if (data.kind === "report") this.#report = data.report;
      else if (data.kind === "log") {
        log[data.level](data.level === "info" ? data.line : `Warning: ${data.line}`);
      } else if (data.kind === "refused") tell({ subject: "rollout refused", message: data.line });
      // A reload never rejects.
      else this.#take(data.contents, reload);
    };
    worker.onmessageerror = () => fail("what its thread said cannot be read");
    worker.onerror = (event) => {
      event.preventDefault();
      fail(event.message);
    };
    const refused = this.#keptRefused;
    const start = { ...this.#start, ...(refused === undefined ? {} : { keptRefused: refused }) };
    this.#send({ kind: "start", start });
  }

  report(): RolloutReport {
    return this.#report;
  }

  troubles(): string[] {
    const { refused, trouble } = this.#report;
    const expires = this.#inForce?.expiresMs ?? Infinity;
    return [
      ...(refused === null ? [] : [`a bundle was refused: ${refused.told}`]),
      ...(trouble === null ? [] : [trouble]),
      ...(this.#failure === undefined ? [] : [this.#failure]),
      ...(expires < Date.now() ? ["what is in force has expired, and nothing newer came"] : []),
    ].map((line) => `rollout: ${line}`);
  }

  close(): void {
    this.#worker?.terminate();
  }

  async #take(contents: Contents, reload: (who: string) => Promise<ReloadOutcome>): Promise<void> {
    this.#offered = contents;
    const outcome = await reload(`Bundle ${contents.name} ${contents.serial}`);
    // Where saker ends, nothing was settled.
    const isSettled = this.#offered === undefined;
    this.#offered = undefined;
    const refused = this.#error ?? (outcome.reloaded ? undefined : outcome.error);
    this.#send({
      kind: "outcome",
      outcome: !isSettled ? undefined : refused === undefined ? {} : { refused },
    });
  }

  #send(order: FollowOrder): void {
    this.#worker?.postMessage(order);
  }
}
