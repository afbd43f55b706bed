// Files that grow → their lines, as they are written: a file that is rotated away is read to its
// end, then the one that has its name now; one that was cut off is read from its beginning.

const CHUNK_BYTES = 65_536;
const POLL_MS = 250;
/** A file that another one has replaced may still be written to for so long. */
const LINGER_POLLS = 2;

export interface FollowOptions {
  /** Bytes of one line; longer ones are left out. */
  readonly lineBytesMax: number;
  /** What is there at the start is given, too. */
  readonly fromStart: boolean;
  readonly warn: (line: string) => void;
}

/** One of the files, as it is open. */
class OpenFile {
  readonly path: string;
  #file: Deno.FsFile | undefined;
  #inode: number | null = null;
  #at = 0;
  #left = new Uint8Array(0);
  #isSkipping = false;
  #gone = 0;
  #isMissing = false;
  readonly #options: FollowOptions;
  readonly #decoder = new TextDecoder();

  constructor(path: string, options: FollowOptions) {
    this.path = path;
    this.#options = options;
  }

  /** Lines that came since the last call; undefined: none. */
  async read(isFirst: boolean): Promise<string[] | undefined> {
    const info = await this.#stat();
    if (this.#file === undefined) {
      if (info === undefined) return undefined;
      await this.#open(isFirst && !this.#options.fromStart);
      return undefined;
    }
    if (info !== undefined && info.ino === this.#inode && info.size < this.#at) {
      this.#options.warn(`${this.path} was cut off: it is read from its beginning`);
      await this.#file.seek(0, Deno.SeekMode.Start);
      this.#at = 0;
      this.#left = new Uint8Array(0);
    }
    const lines = await this.#lines();
    if (lines.length > 0) return lines;
    if (info === undefined || info.ino === this.#inode) this.#gone = 0;
    else if (++this.#gone > LINGER_POLLS) {
      this.close();
      await this.#open(false);
    }
    return undefined;
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
    this.#gone = this.#at = 0;
    this.#left = new Uint8Array(0);
    this.#isSkipping = false;
  }

  async #stat(): Promise<Deno.FileInfo | undefined> {
    try {
      const info = await Deno.stat(this.path);
      this.#isMissing = false;
      if (info.isFile) return info;
      throw new Error(`${this.path} is no regular file`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      if (!this.#isMissing) this.#options.warn(`${this.path} is not there: it is waited for`);
      this.#isMissing = true;
      return undefined;
    }
  }

  async #open(atEnd: boolean): Promise<void> {
    try {
      this.#file = await Deno.open(this.path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      throw error;
    }
    this.#inode = (await this.#file.stat()).ino;
    if (atEnd) this.#at = await this.#file.seek(0, Deno.SeekMode.End);
  }

  async #lines(): Promise<string[]> {
    const chunk = new Uint8Array(CHUNK_BYTES);
    const read = await this.#file!.read(chunk);
    if (read === null || read === 0) return [];
    this.#at += read;
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0 && end < read; end = chunk.indexOf(10, from)) {
      const part = chunk.subarray(from, end);
      if (!this.#isSkipping) this.#push(lines, part);
      this.#isSkipping = false;
      this.#left = new Uint8Array(0);
      from = end + 1;
    }
    const rest = chunk.subarray(from, read);
    if (this.#isSkipping) return lines;
    if (this.#left.length + rest.length > this.#options.lineBytesMax) {
      this.#isSkipping = true;
      this.#left = new Uint8Array(0);
      this.#tellLong();
    } else this.#left = joined(this.#left, rest);
    return lines;
  }

  #push(lines: string[], part: Uint8Array): void {
    const bytes = joined(this.#left, part);
    if (bytes.length > this.#options.lineBytesMax) return this.#tellLong();
    const line = this.#decoder.decode(bytes).replace(/\r$/, "");
    if (line !== "") lines.push(line);
  }

  #tellLong(): void {
    const { lineBytesMax, warn } = this.#options;
    warn(`${this.path}: a line has more than ${lineBytesMax} bytes and is left out`);
  }
}

/** Gives lines of all the files until the signal is aborted. */
export async function* follow(
  paths: readonly string[],
  options: FollowOptions,
  signal: AbortSignal,
): AsyncGenerator<{ readonly file: string; readonly line: string }> {
  const files = paths.map((path) => new OpenFile(path, options));
  try {
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      let isBusy = false;
      for (const file of files) {
        const lines = await file.read(isFirst);
        if (lines === undefined) continue;
        isBusy = true;
        for (const line of lines) yield { file: file.path, line };
      }
      // What was opened just now is read at once.
      if (!isBusy && !isFirst) await pause(POLL_MS, signal);
    }
  } finally {
    for (const file of files) file.close();
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
