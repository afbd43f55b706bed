// Follows a source of bundles: what it hands over is checked, judged, offered to the engine, and
// kept once it was taken. Whatever is refused, what is in force stays.
import { BundleRefused, type Contents, type Refusal } from "./contents.ts";
import { type Bundle, openBundle } from "./envelope.ts";
import { judge, type JudgeOptions, type Seen } from "./judge.ts";
import { type PublicKey, sha256 } from "./keys.ts";
import { NOTHING_YET, type RolloutReport } from "./report.ts";
import type { Kept, Store } from "./store.ts";

export interface FollowerOptions {
  readonly source: { ask(): Promise<Uint8Array<ArrayBuffer> | undefined> };
  readonly keys: readonly PublicKey[];
  readonly host: JudgeOptions["host"];
  readonly wantedName: string;
  readonly store: Pick<Store, "keep" | "keepSeen">;
  readonly kept: Kept;
  /** Whether the bundle that was kept could not be used at the start. */
  readonly keptRefused?: string | undefined;
  /** Puts it into force; why it was not, or nothing where saker ends. */
  readonly offer: (contents: Contents) => Promise<{ readonly refused?: string } | undefined>;
  readonly onReport: (report: RolloutReport) => void;
  readonly log: (level: "info" | "warning", line: string) => void;
  /** A bundle was refused, told once for each and for each reason. */
  readonly onRefused: (line: string) => void;
  readonly now: () => number;
}

export class Follower {
  readonly #options: FollowerOptions;
  #report: RolloutReport = NOTHING_YET;
  #seen: Seen | undefined;
  #inForce: Bundle | undefined;
  /** What the source gave last: its time or its share may come. */
  #last: Uint8Array<ArrayBuffer> | undefined;
  /** The bundle that the engine refused: it is not offered again before something changed. */
  #tried: { readonly sha256: string; readonly told: string } | undefined;
  #told = "";
  /** It is in force and could not be written yet. */
  #unkept: Bundle | undefined;
  #sourceTrouble: string | undefined;
  #storeTrouble: string | undefined;

  constructor(options: FollowerOptions) {
    const { kept, keptRefused } = options;
    this.#options = options;
    this.#seen = kept.seen;
    if (kept.bundle === undefined) return;
    const { sha256, contents } = kept.bundle;
    if (keptRefused === undefined) this.#inForce = kept.bundle;
    else {
      this.#tried = { sha256, told: keptRefused };
      this.#told = `bad_rules ${sha256}`;
      this.#refusal({ serial: contents.serial, why: "bad_rules", told: keptRefused });
    }
    this.#change({ rules: rulesOf(this.#inForce) });
  }

  get report(): RolloutReport {
    return this.#report;
  }

  /** What else is in force changed: what was refused may be right now. */
  again(): void {
    this.#tried = undefined;
  }

  /** Asks the source once and does what follows. Never rejects. */
  async look(): Promise<void> {
    this.#change({ asked: this.#report.asked + 1 });
    let bytes: Uint8Array<ArrayBuffer> | undefined;
    try {
      bytes = await this.#options.source.ask();
    } catch (error) {
      const trouble = `the source cannot be asked: ${(error as Error).message}`;
      if (this.#sourceTrouble !== trouble) this.#options.log("warning", `rollout: ${trouble}`);
      this.#sourceTrouble = trouble;
      this.#change({ failed: this.#report.failed + 1 });
      return;
    }
    if (this.#sourceTrouble !== undefined) this.#options.log("info", "rollout: the source answers");
    this.#sourceTrouble = undefined;
    this.#last = bytes ?? this.#last;
    let trouble: string | undefined;
    try {
      if (this.#last !== undefined) await this.#take(this.#last);
      if (this.#unkept !== undefined) this.#options.store.keep(this.#unkept);
      this.#unkept = undefined;
    } catch (error) {
      trouble = (error as Error).message;
      if (this.#storeTrouble !== trouble) this.#options.log("warning", `rollout: ${trouble}`);
    }
    this.#storeTrouble = trouble;
    this.#change({});
  }

  async #take(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const { keys, host, wantedName, store, offer, log, now } = this.#options;
    let bundle: Bundle | undefined;
    try {
      bundle = await openBundle(bytes, keys);
      if (bundle.sha256 === this.#inForce?.sha256) return this.#change({ refused: null });
      if (bundle.sha256 === this.#tried?.sha256) {
        throw new BundleRefused("bad_rules", this.#tried.told);
      }
      const verdict = judge(bundle, {
        kind: "rules",
        wantedName,
        host,
        seen: this.#seen,
        nowMs: now(),
      });
      const { serial, name } = bundle.contents;
      const seen = { serial, sha256: bundle.sha256 };
      if (this.#seen?.sha256 !== seen.sha256) store.keepSeen(seen);
      this.#seen = seen;
      if (verdict.kind === "waits") {
        const { why } = verdict;
        if (this.#report.waits?.serial !== serial) {
          log("info", `rollout: ${name} ${serial} waits: ${why}`);
        }
        return this.#change({ waits: { serial, why }, refused: null });
      }
      const outcome = await offer(bundle.contents);
      if (outcome === undefined) return;
      if (outcome.refused !== undefined) {
        this.#tried = { sha256: bundle.sha256, told: outcome.refused };
        throw new BundleRefused("bad_rules", outcome.refused);
      }
      this.#inForce = bundle;
      this.#change({ rules: rulesOf(bundle), waits: null, refused: null });
      log("info", `rollout: ${name} ${serial} is in force`);
      this.#unkept = bundle;
    } catch (error) {
      if (!(error instanceof BundleRefused)) throw error;
      const { why, message } = error;
      const sum = await sha256(bytes);
      if (this.#told === `${why} ${sum}`) return;
      this.#told = `${why} ${sum}`;
      this.#refusal({ serial: bundle?.contents.serial ?? null, why, told: message });
    }
  }

  #refusal(refused: { serial: number | null; why: Refusal; told: string }): void {
    const { refusals } = this.#report;
    const { serial, why, told } = refused;
    const line = `rollout: ${
      serial === null ? "a bundle" : `bundle ${serial}`
    } is refused: ${told}`;
    this.#options.log("warning", `${line}\nWhat is in force stays.`);
    this.#options.onRefused(line);
    this.#change({ refused, refusals: { ...refusals, [why]: (refusals[why] ?? 0) + 1 } });
  }

  #change(change: Partial<RolloutReport>): void {
    if (change.refused === null) this.#told = "";
    const trouble = this.#sourceTrouble ?? this.#storeTrouble ?? null;
    this.#report = { ...this.#report, ...change, trouble };
    this.#options.onReport(this.#report);
  }
}

function rulesOf(bundle: Bundle | undefined): RolloutReport["rules"] {
  if (bundle === undefined || bundle.contents.files.length === 0) return null;
  const { name, serial } = bundle.contents;
  return { name, serial };
}
