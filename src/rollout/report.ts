// How the roll-out stands on this host, for whoever asks: health, metrics, presence.
import type { BundleKind, Refusal } from "./contents.ts";

/** Of each kind that has a source. */
export type RolloutReport = { readonly [Kind in BundleKind]?: KindReport };

export interface KindReport {
  /** Null: what the host has by itself. */
  readonly in_force: { readonly name: string; readonly serial: number } | null;
  /** Signed well, and not for this host yet. */
  readonly waits: { readonly serial: number; readonly why: string } | null;
  /** The last one that was offered and refused; null where a later one was not. */
  readonly refused: {
    /** Null where nobody knows who wrote it. */
    readonly serial: number | null;
    readonly why: Refusal;
    readonly told: string;
  } | null;
  /** Why the source cannot be asked, or what is taken cannot be kept; null where all is well. */
  readonly trouble: string | null;
  readonly source: SourceReport;
  /** Bundles that were refused since the start, by why. */
  readonly refusals: Readonly<Partial<Record<Refusal, number>>>;
}

export interface SourceReport {
  /** How often it was asked, and could not be. */
  readonly asked: number;
  readonly failed: number;
  /** Failures since it last answered, and when the first of them was (ISO 8601). */
  readonly in_a_row: number;
  readonly down_since: string | null;
  /** When it is asked again at the latest; null before the first time. */
  readonly next: string | null;
}

export const NOTHING_YET: KindReport = {
  in_force: null,
  waits: null,
  refused: null,
  trouble: null,
  source: { asked: 0, failed: 0, in_a_row: 0, down_since: null, next: null },
  refusals: {},
};
