// What a host keeps of the roll-out, so that a start without a network has the same rules and an
// old bundle stays refused: of each kind the bundle in force as it was signed, and the newest that
// was seen of each key. Only root, or who runs saker, can read or write there.
import { join } from "node:path";
import { codeOf, reasonOf } from "../files/reason.ts";
import { readBoundedFile } from "../files/read_text.ts";
import { BUNDLE_BYTES_MAX, type BundleKind, BundleRefused } from "./contents.ts";
import { type Bundle, openBundle } from "./envelope.ts";
import type { Seen } from "./judge.ts";
import type { PublicKey } from "./keys.ts";
import { replaceFile } from "./replace_file.ts";

export interface Kept {
  readonly bundle?: Bundle;
  /** Of the keys that are trusted now: one that went takes its serials with it, so that who had
   * stolen it has not blocked for ever what is signed with the next. */
  readonly seen?: Seen;
  /** What there is to say of what was there. */
  readonly warning?: string;
}

export interface Wanted {
  readonly keys: readonly PublicKey[];
  /** "": any. */
  readonly name: string;
}

/** By the key's id. */
type Marks = ReadonlyMap<string, Seen>;

const SEEN_BYTES_MAX = 64 << 10;
/** Keys that come and go; the oldest gives way. */
const MARKS_MAX = 64;

export class Store {
  readonly #kind: BundleKind;
  readonly #bundle: string;
  readonly #seen: string;

  /** Makes the directory; throws one line where it cannot be, or others can write into it. */
  constructor(directory: string, kind: BundleKind) {
    this.#kind = kind;
    this.#bundle = join(directory, `${kind}.bundle`);
    this.#seen = join(directory, `${kind}.seen`);
    try {
      Deno.mkdirSync(directory, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw new Error(`Cannot make the directory ${directory}: ${reasonOf(error)}`);
    }
    const { mode, uid } = Deno.statSync(directory);
    if ((mode! & 0o022) !== 0 || (uid !== 0 && uid !== Deno.uid())) {
      throw new Error(`The directory ${directory} is not private: others can write into it`);
    }
  }

  /** The bundle is checked once more: a key that is trusted no longer takes its rules with it, and
   * so does another name. Its age is not: the old rules stay, and who looks at health is told. */
  async read({ keys, name }: Wanted): Promise<Kept> {
    const trusted = new Set(keys.map(({ id }) => id));
    const marks = [...this.#marks()].filter(([id]) => trusted.has(id)).map(([, seen]) => seen);
    const bytes = this.#read(this.#bundle, BUNDLE_BYTES_MAX);
    if (bytes === undefined) return withSeen(marks);
    try {
      const bundle = await openBundle(new Uint8Array(bytes), keys);
      const { contents, sha256 } = bundle;
      if (contents.kind !== this.#kind) throw notThis(`it holds ${contents.kind}`);
      if (name !== "" && contents.name !== name) throw notThis(`its name is ${contents.name}`);
      // The mark may have been lost, the bundle is one itself.
      return { bundle, ...withSeen([...marks, { serial: contents.serial, sha256 }]) };
    } catch (error) {
      if (!(error instanceof BundleRefused)) throw error;
      const warning = `the bundle that was kept is not used: ${error.message}`;
      return { ...withSeen(marks), warning };
    }
  }

  keepSeen({ keyId, contents, sha256 }: Bundle): void {
    const marks = new Map(this.#marks());
    marks.delete(keyId);
    marks.set(keyId, { serial: contents.serial, sha256 });
    const kept = [...marks].slice(-MARKS_MAX);
    const text = `${JSON.stringify(Object.fromEntries(kept))}\n`;
    replaceFile(this.#seen, new TextEncoder().encode(text), 0o600);
  }

  keep({ bytes }: Bundle): void {
    replaceFile(this.#bundle, bytes, 0o600);
  }

  #marks(): Marks {
    const bytes = this.#read(this.#seen, SEEN_BYTES_MAX);
    const marks = bytes === undefined ? new Map() : marksOf(new TextDecoder().decode(bytes));
    if (marks !== undefined) return marks;
    // Nobody knows what is stale.
    throw new Error(`${this.#seen} is broken: it says which bundles are stale`);
  }

  #read(path: string, most: number): Uint8Array | undefined {
    try {
      return readBoundedFile(path, most);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return undefined;
      throw new Error(`Cannot read ${path}: ${reasonOf(error)}`);
    }
  }
}

function withSeen(marks: readonly Seen[]): Pick<Kept, "seen"> {
  const [newest] = marks.toSorted((one, other) => other.serial - one.serial);
  return newest === undefined ? {} : { seen: newest };
}

function notThis(message: string): BundleRefused {
  return new BundleRefused("wrong_kind", message);
}

/** Undefined where the text is something else. */
function marksOf(text: string): Marks | undefined {
  try {
    const entries = Object.entries(JSON.parse(text) as Record<string, Seen>);
    const isGood = entries.every(([id, { serial, sha256 }]) =>
      /^[0-9a-f]{16}$/.test(id) && Number.isSafeInteger(serial) && typeof sha256 === "string"
    );
    return isGood && entries.length > 0 ? new Map(entries) : undefined;
  } catch {
    return undefined;
  }
}
