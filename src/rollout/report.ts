// How the roll-out stands on this host, for whoever asks: health, metrics, presence.
import type { Refusal } from "./contents.ts";

export interface RolloutReport {
  /** In force; null: what the host has by itself. */
  readonly rules: { readonly name: string; readonly serial: number } | null;
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
  /** How often the source was asked, and could not be. */
  readonly asked: number;
  readonly failed: number;
  /** Bundles that were refused since the start, by why. */
  readonly refusals: Readonly<Partial<Record<Refusal, number>>>;
}

export const NOTHING_YET: RolloutReport = {
  rules: null,
  waits: null,
  refused: null,
  trouble: null,
  asked: 0,
  failed: 0,
  refusals: {},
};
