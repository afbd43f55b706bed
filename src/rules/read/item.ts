// What stands in rules files, item by item, as `read` gives it and `merge` puts it together.
import type { Piece, Place } from "../diagnostic.ts";

/** major, minor, patch. */
export type Version = readonly [number, number, number];

/** A condition with where its text comes from. */
export interface ConditionText {
  readonly text: string;
  readonly place: Place;
  /** The scalars that it comes from, in order. */
  readonly pieces: readonly Piece[];
}

/** A value of an exception: a text or a list of them. */
export type Entry = string | readonly Entry[];

export interface ExceptionItem {
  readonly name: string;
  readonly fields: Entry | undefined;
  readonly comps: Entry | undefined;
  readonly values: readonly Entry[];
  readonly place: Place;
}

export interface RuleParts {
  readonly condition?: ConditionText;
  readonly output?: string;
  readonly outputPlace?: Place;
  readonly desc?: string;
  readonly tags?: readonly string[];
  readonly exceptions?: readonly ExceptionItem[];
  readonly priority?: number;
  readonly capture?: boolean;
  readonly captureDuration?: number;
  readonly enabled?: boolean;
  readonly warnEvtTypes?: boolean;
  readonly skipIfUnknown?: boolean;
}

export interface PluginRequirement {
  readonly name: string;
  readonly version: string;
}

export type Item =
  | { readonly kind: "engine"; readonly version: Version; readonly place: Place }
  | {
    readonly kind: "plugin";
    readonly alternatives: readonly PluginRequirement[];
    readonly place: Place;
  }
  | {
    readonly kind: "list";
    readonly name: string;
    readonly items: readonly string[];
    readonly append: boolean;
    readonly place: Place;
  }
  | {
    readonly kind: "macro";
    readonly name: string;
    readonly condition: ConditionText;
    readonly append: boolean;
    readonly place: Place;
  }
  | {
    readonly kind: "rule";
    readonly name: string;
    readonly source: string;
    readonly parts: Required<RuleParts>;
    readonly place: Place;
  }
  | {
    readonly kind: "change";
    readonly change: "append" | "replace";
    readonly name: string;
    readonly source: string;
    readonly parts: RuleParts;
    readonly place: Place;
  }
  | {
    readonly kind: "enable";
    readonly name: string;
    readonly enabled: boolean;
    readonly place: Place;
  }
  /** It could not be read: what names it later is not told that it does not exist. */
  | { readonly kind: "broken"; readonly of: "list" | "macro" | "rule"; readonly name: string };

/** Reads "x.y.z"; undefined for what is none. */
export function parseVersion(text: string): Version | undefined {
  const found = /^(\d+)\.(\d+)\.(\d+)(?:[-+.].*)?$/.exec(text);
  return found ? [Number(found[1]), Number(found[2]), Number(found[3])] : undefined;
}

/** Whether `have` satisfies `wanted`: the same major version, and not older. */
export function isCompatible(have: Version, wanted: Version): boolean {
  return have[0] === wanted[0] && compareVersions(have, wanted) >= 0;
}

export function compareVersions(left: Version, right: Version): number {
  return left[0] - right[0] || left[1] - right[1] || left[2] - right[2];
}
