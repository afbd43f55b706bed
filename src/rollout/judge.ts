// Would this host take a bundle? What was seen before and what the host is come in, the verdict
// goes out. It has no memory of its own and asks no clock.
import { type BundleKind, BundleRefused } from "./contents.ts";
import type { Bundle } from "./envelope.ts";
import { type Host, outsideOf } from "./share.ts";

/** The newest bundle of a kind that was signed well, whatever became of it: what is older, or
 * another of the same serial, is never taken. */
export interface Seen {
  readonly serial: number;
  /** Of the whole bundle. */
  readonly sha256: string;
}

export interface JudgeOptions {
  readonly kind: BundleKind;
  /** Bundles of another name are refused; "": of any. */
  readonly wantedName: string;
  /** Undefined: whatever the host. */
  readonly host: Host | undefined;
  readonly seen: Seen | undefined;
  readonly nowMs: number;
}

/** `waits`: its share does not reach this host. */
export type Verdict =
  | { readonly kind: "take" }
  | { readonly kind: "waits"; readonly why: string };

/** A signer's clock may be ahead of the host's by so much. */
export const SKEW_MS = 300_000;

/** Throws a BundleRefused. */
export function judge({ contents, sha256 }: Bundle, options: JudgeOptions): Verdict {
  const { kind, wantedName, host, seen, nowMs } = options;
  const { serial, name, issuedMs, expiresMs } = contents;
  if (contents.kind !== kind) {
    throw new BundleRefused("wrong_kind", `it holds ${contents.kind}, where ${kind} are expected`);
  }
  if (wantedName !== "" && name !== wantedName) {
    throw new BundleRefused("wrong_name", `its name is ${name}, this host takes ${wantedName}`);
  }
  if (seen !== undefined && serial < seen.serial) {
    const message = `its serial ${serial} is lower than ${seen.serial}, which was seen already`;
    throw new BundleRefused("stale", message);
  }
  if (seen !== undefined && serial === seen.serial && sha256 !== seen.sha256) {
    throw new BundleRefused("stale", `another bundle with its serial ${serial} was seen already`);
  }
  if (issuedMs > nowMs + SKEW_MS) {
    const message = `it is issued at ${isoOf(issuedMs)}, and here it is ${isoOf(nowMs)}`;
    throw new BundleRefused("not_yet_issued", message);
  }
  if (expiresMs <= nowMs) {
    throw new BundleRefused("expired", `it expired at ${isoOf(expiresMs)}`);
  }
  const why = host === undefined ? undefined : outsideOf(contents, host);
  return why === undefined ? { kind: "take" } : { kind: "waits", why };
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
