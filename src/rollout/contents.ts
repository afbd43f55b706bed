// What is in a bundle: the signed text comes in, checked contents go out, or what is wrong with
// them. Nobody has signed what is looked at here by mistake alone, so every part has its bound and
// its shape, and what nobody knows is refused: a later saker may mean something by it.

export type BundleKind = "rules" | "config";
export const BUNDLE_KINDS: readonly BundleKind[] = ["rules", "config"];

export interface BundleFile {
  /** No path: nothing is written under it. */
  readonly name: string;
  readonly text: string;
}

export interface Contents {
  readonly kind: BundleKind;
  readonly name: string;
  /** Grows from each bundle of a kind to the next. */
  readonly serial: number;
  /** ms since the epoch. */
  readonly issuedMs: number;
  readonly expiresMs: number;
  /** Percent of the hosts. */
  readonly share: number;
  /** Patterns of host names, `*` and `?`; none: all. */
  readonly hosts: readonly string[];
  /** All of which a host must have. */
  readonly labels: readonly string[];
  /** Of rules: `after` those of the host, or `instead` of them. */
  readonly combine: "after" | "instead";
  /** None: back to what the host has by itself. */
  readonly files: readonly BundleFile[];
}

/** Why a bundle is not taken, in one word for metrics, and in words for people. */
export class BundleRefused extends Error {
  override readonly name = "BundleRefused";
  readonly why: Refusal;

  constructor(why: Refusal, message: string) {
    super(message);
    this.why = why;
  }
}

export type Refusal =
  | "malformed"
  | "too_large"
  | "unknown_key"
  | "bad_signature"
  | "wrong_kind"
  | "wrong_name"
  | "not_yet_issued"
  | "expired"
  | "stale"
  | "bad_rules"
  | "bad_config";

export const REFUSALS: readonly Refusal[] = [
  ...["malformed", "too_large", "unknown_key", "bad_signature", "wrong_kind"] as const,
  ...["wrong_name", "not_yet_issued", "expired", "stale", "bad_rules", "bad_config"] as const,
];

/** Bytes of a whole bundle: Falco's own rules have some two hundred thousand. */
export const BUNDLE_BYTES_MAX = 8 << 20;
const FILES_MAX = 64;
const SELECTORS_MAX = 256;

export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const HOST_PATTERN = /^[A-Za-z0-9._*?:-]{1,255}$/;
export const LABEL = /^[A-Za-z0-9][A-Za-z0-9._\/-]{0,63}=[A-Za-z0-9._\/:@-]{0,128}$/;

/** The text that is signed. */
export function writeContents(contents: Contents): string {
  const { kind, name, serial, issuedMs, expiresMs, share, hosts, labels, combine, files } =
    contents;
  return JSON.stringify({
    kind,
    name,
    serial,
    issued: new Date(issuedMs).toISOString(),
    expires: new Date(expiresMs).toISOString(),
    share,
    hosts,
    labels,
    combine,
    files: files.map(({ name, text }) => ({ name, text })),
  });
}

/** Reads what `writeContents` wrote and nothing else; throws a BundleRefused. */
export function readContents(text: string): Contents {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed("what is signed is no JSON");
  }
  const at = partsOf(value, KEYS, "the bundle");
  const contents: Contents = {
    kind: choice(at["kind"], BUNDLE_KINDS, "kind"),
    name: matching(at["name"], NAME, "name"),
    serial: serialOf(at["serial"]),
    issuedMs: timeOf(at["issued"], "issued"),
    expiresMs: timeOf(at["expires"], "expires"),
    share: shareOf(at["share"]),
    hosts: listOf(at["hosts"], SELECTORS_MAX, "hosts")
      .map((one) => matching(one, HOST_PATTERN, "hosts")),
    labels: listOf(at["labels"], SELECTORS_MAX, "labels")
      .map((one) => matching(one, LABEL, "labels")),
    combine: choice(at["combine"], ["after", "instead"] as const, "combine"),
    files: listOf(at["files"], FILES_MAX, "files").map(fileOf),
  };
  if (new Set(contents.files.map(({ name }) => name)).size !== contents.files.length) {
    throw malformed("two of its files have the same name");
  }
  if (contents.kind === "config" && contents.files.length > 1) {
    throw malformed("a bundle of configuration holds one file at the most");
  }
  // A key that stands twice, other blanks, other escapes: two readers could see two things in it.
  if (writeContents(contents) !== text) {
    throw malformed("what is signed is not written as saker writes it");
  }
  return contents;
}

const KEYS = [
  ...["kind", "name", "serial", "issued", "expires", "share", "hosts", "labels"],
  ...["combine", "files"],
];

function malformed(message: string): BundleRefused {
  return new BundleRefused("malformed", message);
}

function partsOf(value: unknown, keys: readonly string[], what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw malformed(`${what} is no map`);
  }
  const found = Object.keys(value);
  if (found.length !== keys.length || keys.some((key) => !Object.hasOwn(value, key))) {
    throw malformed(`${what} does not have exactly the keys ${keys.join(", ")}`);
  }
  return value as Record<string, unknown>;
}

function choice<const Word extends string>(
  value: unknown,
  words: readonly Word[],
  key: string,
): Word {
  const found = words.find((word) => word === value);
  if (found === undefined) throw malformed(`${key}: expected one of ${words.join(", ")}`);
  return found;
}

function matching(value: unknown, shape: RegExp, key: string): string {
  if (typeof value !== "string" || !shape.test(value)) {
    throw malformed(`${key}: expected a text of the form ${shape.source}`);
  }
  return value;
}

function serialOf(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number;
  throw malformed("serial: expected a whole number from 1");
}

function timeOf(value: unknown, key: string): number {
  const ms = typeof value === "string" ? Date.parse(value) : NaN;
  if (Number.isFinite(ms) && new Date(ms).toISOString() === value) return ms;
  throw malformed(`${key}: expected a time such as 2026-11-27T09:00:00.000Z`);
}

function shareOf(value: unknown): number {
  if (typeof value === "number" && value >= 0 && value <= 100) return value;
  throw malformed("share: expected a number from 0 to 100");
}

function listOf(value: unknown, most: number, key: string): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(`${key}: expected a list`);
  if (value.length > most) throw malformed(`${key}: there are more than ${most}`);
  return value;
}

function fileOf(value: unknown): BundleFile {
  const at = partsOf(value, ["name", "text"], "a file of the bundle");
  const { text } = at;
  if (typeof text !== "string" || !text.isWellFormed()) {
    throw malformed("text: expected a text in UTF-8");
  }
  return { name: matching(at["name"], FILE_NAME, "name of a file"), text };
}
