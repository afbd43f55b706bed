// The thread that follows audit logs: a path comes in, pieces of whole lines go out, a few at a
// time, and the next ones when those are judged. It may wait for a mount that hangs.
//
// Where it is in the files is kept in a file of its own, if one is named: only behind what is
// judged, so that whoever is killed judges some lines twice, and none never.
import { catchStrays } from "../../engine/contract/strays.ts";
import { Follower, type FollowStats } from "../../files/followed.ts";
import { readTextFile } from "../../files/read_text.ts";
import { reasonOf } from "../../files/reason.ts";
import type { TailPosition } from "../../files/tail.ts";

export type FollowOrder =
  | {
    readonly kind: "start";
    readonly path: string;
    readonly lineBytesMax: number;
    /** "" for none. */
    readonly positionFile: string;
  }
  | { readonly kind: "judged"; readonly id: number }
  | { readonly kind: "end" };

export type FollowAnswer =
  | {
    readonly kind: "piece";
    readonly id: number;
    readonly bytes: Uint8Array<ArrayBuffer>;
    readonly origin: string;
  }
  /** At least once a second, as long as nothing hangs. */
  | { readonly kind: "stats"; readonly stats: FollowStats; readonly problem?: string }
  | { readonly kind: "ended"; readonly error?: string };

interface WorkerScope {
  onmessage: ((event: MessageEvent<FollowOrder>) => void) | null;
  postMessage(message: FollowAnswer, transfer?: Transferable[]): void;
}

/** Pieces that are judged or wait to be. */
const AHEAD_MAX = 2;
const BUSY_MS = 20;
const IDLE_MS = 150;
const TELL_MS = 1_000;
const SAVE_MS = 500;
const POSITION_BYTES_MAX = 1 << 20;

const scope = self as unknown as WorkerScope;

class Following {
  readonly #follower: Follower;
  readonly #positionFile: string;
  readonly #unjudged = new Map<number, readonly TailPosition[]>();
  #wake: (() => void) | undefined;
  #ids = 0;
  #toldMs = 0;
  #savedMs = 0;
  #positions: readonly TailPosition[] | undefined;
  #saved = "";
  #problem: string | undefined;
  #ending = false;

  constructor({ path, lineBytesMax, positionFile }: FollowOrder & { readonly kind: "start" }) {
    this.#positionFile = positionFile;
    const options = { path, lineBytesMax };
    const positions = positionFile === "" ? undefined : readPositions(positionFile);
    this.#follower = new Follower(positions === undefined ? options : { ...options, positions });
  }

  judged(id: number): void {
    const positions = this.#unjudged.get(id);
    if (positions !== undefined) this.#positions = positions;
    this.#unjudged.delete(id);
    this.#wake?.();
  }

  end(): void {
    this.#ending = true;
    this.#wake?.();
  }

  async run(): Promise<void> {
    while (!this.#ending) {
      const nowMs = performance.now();
      const piece = this.#unjudged.size < AHEAD_MAX ? this.#follower.read(nowMs) : undefined;
      if (piece !== undefined) this.#send(piece.bytes, piece.origin);
      else if (this.#unjudged.size === 0) this.#positions = this.#follower.positions();
      this.#save(nowMs);
      this.#tell(nowMs);
      if (piece === undefined) await this.#pause(this.#unjudged.size > 0 ? BUSY_MS : IDLE_MS);
    }
    if (this.#unjudged.size === 0) this.#positions = this.#follower.positions();
    this.#save(Infinity);
    this.#follower.close();
  }

  #send(lines: Uint8Array, origin: string): void {
    const bytes = new Uint8Array(lines);
    const id = this.#ids++;
    this.#unjudged.set(id, this.#follower.positions());
    scope.postMessage({ kind: "piece", id, bytes, origin }, [bytes.buffer]);
  }

  #tell(nowMs: number): void {
    if (nowMs - this.#toldMs < TELL_MS) return;
    this.#toldMs = nowMs;
    const problem = this.#problem === undefined ? {} : { problem: this.#problem };
    scope.postMessage({ kind: "stats", stats: this.#follower.stats(), ...problem });
  }

  /** Whole or not at all, whenever saker is killed. */
  #save(nowMs: number): void {
    if (this.#positionFile === "" || this.#positions === undefined) return;
    if (nowMs - this.#savedMs < SAVE_MS) return;
    this.#savedMs = nowMs;
    const text = JSON.stringify(this.#positions);
    if (text === this.#saved) return;
    try {
      const fresh = `${this.#positionFile}.new`;
      Deno.writeTextFileSync(fresh, text, { mode: 0o600 });
      Deno.renameSync(fresh, this.#positionFile);
      this.#saved = text;
      this.#problem = undefined;
    } catch (error) {
      this.#problem = `Cannot write ${this.#positionFile}: ${reasonOf(error)}`;
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Undefined where nothing was kept yet; throws where what is there cannot be understood. */
function readPositions(file: string): TailPosition[] | undefined {
  let text: string;
  try {
    text = readTextFile(file, POSITION_BYTES_MAX);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new Error(`positionFile: Cannot read ${file}: ${reasonOf(error)}`);
  }
  try {
    const read: unknown = JSON.parse(text);
    if (Array.isArray(read) && read.every(isPosition)) return read;
  } catch {
    // Told below.
  }
  throw new Error(`positionFile: ${file} holds no positions of saker's; remove it to begin anew`);
}

function isPosition(value: unknown): value is TailPosition {
  const { dev, ino, offset, head } = value as Record<string, unknown>;
  return [dev, ino, offset].every((one) => Number.isSafeInteger(one) && Number(one) >= 0) &&
    typeof head === "string" && /^([0-9a-f]{2})*$/.test(head);
}

const state: { following?: Following } = {};

catchStrays(() => {});

scope.onmessage = ({ data }) => {
  if (data.kind === "judged") return state.following?.judged(data.id);
  if (data.kind === "end") return state.following?.end();
  const told = (error: unknown) => {
    const line = (error as Error).message.split("\n", 1)[0]!;
    scope.postMessage({ kind: "ended", error: line });
  };
  try {
    state.following = new Following(data);
    state.following.run().then(() => scope.postMessage({ kind: "ended" }), told);
  } catch (error) {
    told(error);
  }
};
