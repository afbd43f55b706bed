// Follows a source of bundles of one kind: what it hands over is checked, judged, offered to the
// engine, and kept once it was taken. Whatever is refused, what is in force stays.
import { type BundleKind, BundleRefused, type Contents, type Refusal } from "./contents.ts";
import { type Bundle, openBundle } from "./envelope.ts";
import { judge, type JudgeOptions, type Seen } from "./judge.ts";
import { type PublicKey, sha256 } from "./keys.ts";
import { type KindReport, NOTHING_YET } from "./report.ts";
import { paceMs, type Source } from "./source.ts";
import type { Kept, Store } from "./store.ts";

export interface FollowerOptions {
  readonly kind: BundleKind;
  readonly source: Pick<Source, "ask">;
  readonly everyMs: number;
  readonly keys: readonly PublicKey[];
  readonly host: JudgeOptions["host"];
  readonly wantedName: string;
  readonly store: Pick<Store, "keep" | "keepSeen">;
  readonly kept: Kept;
  /** Why the bundle that was kept could not be used at the start. */
  readonly keptRefused?: string | undefined;
  /** Puts it into force; why it was not, or nothing where saker ends. */
  readonly offer: (contents: Contents) => Promise<{ readonly refused?: string } | undefined>;
  readonly onReport: (report: KindReport) => void;
  readonly log: (level: "info" | "warning", line: string) => void;
  /** A bundle was refused, told once for each and for each reason. */
  readonly onRefused: (line: string) => void;
  readonly now: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
}

const UNSIGNED_MS = 60_000;

export class Follower {
  readonly #options: FollowerOptions;
  readonly #bad: Refusal;
  #report: KindReport = NOTHING_YET;
  #seen: Seen | undefined;
  #inForce: Bundle | undefined;
  /** What the source gave last: its time or its share may come. */
  #last: Uint8Array<ArrayBuffer> | undefined;
  /** The bundle that the engine refused: it is not offered again before something changed. */
  #tried: { readonly sha256: string; readonly told: string } | undefined;
  #told = "";
  /** When a bundle that nobody signed was last told of. */
  #unsignedMs = -Infinity;
  /** It is in force and could not be written yet. */
  #unkept: Bundle | undefined;
  #sourceTrouble: string | undefined;
  #storeTrouble: string | undefined;

  constructor(options: FollowerOptions) {
    const { kind, kept, keptRefused } = options;
    this.#options = options;
    this.#bad = kind === "rules" ? "bad_rules" : "bad_config";
    this.#seen = kept.seen;
    if (kept.bundle === undefined) return;
    const { sha256, contents } = kept.bundle;
    if (keptRefused === undefined) this.#inForce = kept.bundle;
    else {
      this.#tried = { sha256, told: keptRefused };
      this.#told = `${this.#bad} ${sha256}`;
      this.#refusal({ serial: contents.serial, why: this.#bad, told: keptRefused });
    }
    this.#change({ in_force: named(this.#inForce) });
  }

  get report(): KindReport {
    return this.#report;
  }

  /** What else is in force changed: what was refused may be right now. */
  again(): void {
    this.#tried = undefined;
  }

  /** Asks the source once and does what follows; ms until the next time. Never rejects. */
  async look(): Promise<number> {
    await this.#look();
    const { everyMs, now, random } = this.#options;
    const waitMs = paceMs(everyMs, this.#report.source.in_a_row, random());
    this.#change({ source: { ...this.#report.source, next: isoOf(now() + waitMs) } });
    return waitMs;
  }

  async #look(): Promise<void> {
    const { source, log, now, store } = this.#options;
    const before = this.#report.source;
    let bytes: Uint8Array<ArrayBuffer> | undefined;
    try {
      bytes = await source.ask();
    } catch (error) {
      const trouble = `the source cannot be asked: ${(error as Error).message}`;
      if (this.#sourceTrouble !== trouble) log("warning", this.#line(trouble));
      this.#sourceTrouble = trouble;
      const { asked, failed, in_a_row, down_since } = before;
      this.#change({
        source: {
          ...before,
          asked: asked + 1,
          failed: failed + 1,
          in_a_row: in_a_row + 1,
          down_since: down_since ?? isoOf(now()),
        },
      });
      return;
    }
    if (this.#sourceTrouble !== undefined) log("info", this.#line("the source answers"));
    this.#sourceTrouble = undefined;
    const { asked } = before;
    this.#change({ source: { ...before, asked: asked + 1, in_a_row: 0, down_since: null } });
    this.#last = bytes ?? this.#last;
    let trouble: string | undefined;
    try {
      if (this.#last !== undefined) await this.#take(this.#last);
      if (this.#unkept !== undefined) store.keep(this.#unkept);
      this.#unkept = undefined;
    } catch (error) {
      trouble = (error as Error).message;
      if (this.#storeTrouble !== trouble) log("warning", this.#line(trouble));
    }
    this.#storeTrouble = trouble;
    this.#change({});
  }

  async #take(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const { kind, keys, host, wantedName, store, offer, log, now } = this.#options;
    let bundle: Bundle | undefined;
    try {
      bundle = await openBundle(bytes, keys);
      if (bundle.sha256 === this.#inForce?.sha256) return this.#change({ refused: null });
      if (bundle.sha256 === this.#tried?.sha256) {
        throw new BundleRefused(this.#bad, this.#tried.told);
      }
      const verdict = judge(bundle, { kind, wantedName, host, seen: this.#seen, nowMs: now() });
      const { serial, name } = bundle.contents;
      if (this.#seen?.sha256 !== bundle.sha256) store.keepSeen(bundle);
      this.#seen = { serial, sha256: bundle.sha256 };
      if (verdict.kind === "waits") {
        const { why } = verdict;
        if (this.#report.waits?.serial !== serial) {
          log("info", this.#line(`${name} ${serial} waits: ${why}`));
        }
        return this.#change({ waits: { serial, why }, refused: null });
      }
      const outcome = await offer(bundle.contents);
      if (outcome === undefined) return;
      if (outcome.refused !== undefined) {
        this.#tried = { sha256: bundle.sha256, told: outcome.refused };
        throw new BundleRefused(this.#bad, outcome.refused);
      }
      this.#inForce = bundle;
      this.#change({ in_force: named(bundle), waits: null, refused: null });
      log("info", this.#line(`${name} ${serial} is in force`));
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
    const line = this.#line(
      `${serial === null ? "a bundle" : `bundle ${serial}`} is refused: ${told}`,
    );
    if (serial !== null || this.#mayTellUnsigned()) {
      this.#options.log("warning", `${line}\nWhat is in force stays.`);
      this.#options.onRefused(line);
    }
    this.#change({ refused, refusals: { ...refusals, [why]: (refusals[why] ?? 0) + 1 } });
  }

  /** Who owns the server and no key makes as many as he likes: those that are not told of count. */
  #mayTellUnsigned(): boolean {
    const nowMs = this.#options.now();
    if (nowMs - this.#unsignedMs < UNSIGNED_MS) return false;
    this.#unsignedMs = nowMs;
    return true;
  }

  #line(text: string): string {
    return `rollout of ${this.#options.kind}: ${text}`;
  }

  #change(change: Partial<KindReport>): void {
    if (change.refused === null) this.#told = "";
    const trouble = this.#sourceTrouble ?? this.#storeTrouble ?? null;
    this.#report = { ...this.#report, ...change, trouble };
    this.#options.onReport(this.#report);
  }
}

function named(bundle: Bundle | undefined): KindReport["in_force"] {
  if (bundle === undefined || bundle.contents.files.length === 0) return null;
  const { name, serial } = bundle.contents;
  return { name, serial };
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
