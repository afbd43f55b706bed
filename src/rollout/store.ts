// What a host keeps of the roll-out, so that a start without a network has the same rules and an
// old bundle stays refused: the bundle in force as it was signed, and the newest that was seen.
// Only root, or who runs saker, can read or write there.
import { join } from "node:path";
import { codeOf, reasonOf } from "../files/reason.ts";
import { readBoundedFile } from "../files/read_text.ts";
import { BUNDLE_BYTES_MAX, BundleRefused } from "./contents.ts";
import { type Bundle, openBundle } from "./envelope.ts";
import type { Seen } from "./judge.ts";
import type { PublicKey } from "./keys.ts";
import { replaceFile } from "./replace_file.ts";

export interface Kept {
  readonly bundle?: Bundle;
  readonly seen?: Seen;
  /** What there is to say of what was there. */
  readonly warning?: string;
}

const SEEN_BYTES_MAX = 4096;

export class Store {
  readonly #bundle: string;
  readonly #seen: string;

  /** Makes the directory; throws one line where it cannot be, or others can write into it. */
  constructor(directory: string) {
    this.#bundle = join(directory, "rules.bundle");
    this.#seen = join(directory, "rules.seen");
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

  /** The bundle is checked once more: a key that is trusted no longer takes its rules with it. Its
   * age is not: the old rules stay, and who looks at health is told. */
  async read(keys: readonly PublicKey[]): Promise<Kept> {
    const seen = seenOf(this.#read(this.#seen, SEEN_BYTES_MAX));
    const bytes = this.#read(this.#bundle, BUNDLE_BYTES_MAX);
    const kept = seen === undefined ? {} : { seen };
    if (bytes === undefined) return kept;
    try {
      const bundle = await openBundle(new Uint8Array(bytes), keys);
      // The mark may have been lost, the bundle is one itself.
      const mark = { serial: bundle.contents.serial, sha256: bundle.sha256 };
      return { bundle, seen: seen === undefined || seen.serial < mark.serial ? mark : seen };
    } catch (error) {
      if (!(error instanceof BundleRefused)) throw error;
      return { ...kept, warning: `the bundle that was kept is not used: ${error.message}` };
    }
  }

  keepSeen(seen: Seen): void {
    replaceFile(this.#seen, new TextEncoder().encode(`${JSON.stringify(seen)}\n`), 0o600);
  }

  keep({ bytes }: Bundle): void {
    replaceFile(this.#bundle, bytes, 0o600);
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

/** Throws where it is there and says nothing: then nobody knows what is stale. */
function seenOf(bytes: Uint8Array | undefined): Seen | undefined {
  if (bytes === undefined) return undefined;
  try {
    const { serial, sha256 } = JSON.parse(new TextDecoder().decode(bytes));
    if (Number.isSafeInteger(serial) && typeof sha256 === "string") return { serial, sha256 };
  } catch {
    // As below.
  }
  throw new Error("rules.seen in rollout.directory is broken: it says which bundles are stale");
}
