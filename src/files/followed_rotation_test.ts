// Log files under a writer that rotates them all the time, in any order with a reader that comes
// round when it comes: each line comes out once.
import { deepStrictEqual, strictEqual } from "node:assert";
import { Follower } from "./followed.ts";

/** Numbers that only look like chance: a failure can be had again. */
function chanceOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

class Writer {
  readonly directory = Deno.makeTempDirSync();
  readonly log = `${this.directory}/audit.log`;
  readonly written: string[] = [];
  #kept = 0;
  #half = "";

  constructor() {
    Deno.writeTextFileSync(this.log, "");
  }

  /** Some lines, the last of them perhaps not whole. */
  append(chance: (below: number) => number): void {
    let text = "";
    for (let count = chance(4); count > 0; count--) {
      const line = `{"n":${this.written.length}${" ".repeat(chance(40))}}`;
      this.written.push(line);
      text += `${line}\n`;
    }
    const whole = this.#half + text;
    const cut = chance(3) === 0 ? Math.max(0, whole.length - chance(12)) : whole.length;
    this.#half = whole.slice(cut);
    Deno.writeTextFileSync(this.log, whole.slice(0, cut), { append: true });
  }

  /** A writer begins a file with a whole line. */
  finish(): void {
    Deno.writeTextFileSync(this.log, this.#half, { append: true });
    this.#half = "";
  }

  rotate(): void {
    this.finish();
    Deno.renameSync(this.log, `${this.directory}/audit-${++this.#kept}.log`);
    Deno.writeTextFileSync(this.log, "");
  }

  /** The oldest goes, as where only so many are kept. */
  removeOldest(): void {
    const oldest = [...Deno.readDirSync(this.directory)].map(({ name }) => name)
      .filter((name) => name !== "audit.log")
      .sort((one, other) => Number(one.slice(6, -4)) - Number(other.slice(6, -4)))[0];
    if (oldest !== undefined) Deno.removeSync(`${this.directory}/${oldest}`);
  }

  end(): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

function linesOf(follower: Follower, nowMs: number): string[] {
  let text = "";
  for (;;) {
    const piece = follower.read(nowMs);
    if (piece === undefined) return text.split("\n").filter((line) => line !== "");
    text += new TextDecoder().decode(piece.bytes);
  }
}

/** Sorted by number, so that lines that come twice stand beside each other. */
function inOrder(lines: readonly string[]): string[] {
  const number = (line: string) => Number(/\d+/.exec(line)![0]);
  return [...lines].sort((one, other) => number(one) - number(other));
}

for (const kind of ["file", "directory"] as const) {
  Deno.test(`under a writer that rotates, each line of a ${kind} comes out once`, () => {
    for (let seed = 1; seed <= 12; seed++) {
      const chance = chanceOf(seed);
      const writer = new Writer();
      const path = kind === "file" ? writer.log : writer.directory;
      const follower = new Follower({ path, lineBytesMax: 1_000 });
      let nowMs = 0;
      const seen = linesOf(follower, nowMs);
      try {
        for (let step = 0; step < 60; step++) {
          writer.append(chance);
          // One that is renamed twice between two looks is gone.
          if (chance(6) === 0) {
            writer.rotate();
            nowMs += kind === "file" ? 10 : 1_500;
            seen.push(...linesOf(follower, nowMs));
          }
          if (chance(8) === 0) writer.removeOldest();
          if (chance(3) === 0) seen.push(...linesOf(follower, nowMs += chance(900)));
        }
        writer.finish();
        seen.push(...linesOf(follower, nowMs += 20_000));
        deepStrictEqual(inOrder(seen), writer.written, `seed ${seed}`);
      } finally {
        follower.close();
        writer.end();
      }
    }
  });
}

Deno.test("a log that is replaced by a link is followed there, and back", () => {
  const writer = new Writer();
  const { log, directory } = writer;
  const other = `${directory}/other`;
  Deno.writeTextFileSync(other, "old\n");
  const follower = new Follower({ path: log, lineBytesMax: 1_000 });
  try {
    strictEqual(linesOf(follower, 0).length, 0);
    Deno.writeTextFileSync(log, "1\n", { append: true });
    deepStrictEqual(linesOf(follower, 100), ["1"]);
    Deno.removeSync(log);
    Deno.symlinkSync(other, log);
    // What is new under the name is read from its start, as a file that is moved there.
    deepStrictEqual(linesOf(follower, 200), ["old"]);
    Deno.writeTextFileSync(other, "2\n", { append: true });
    deepStrictEqual(linesOf(follower, 300), ["2"]);
    Deno.removeSync(log);
    Deno.symlinkSync(`${directory}/none`, log);
    deepStrictEqual(linesOf(follower, 400), []);
    Deno.removeSync(log);
    Deno.symlinkSync(directory, log);
    deepStrictEqual(linesOf(follower, 500), []);
    Deno.removeSync(log);
    Deno.writeTextFileSync(log, "3\n");
    deepStrictEqual(linesOf(follower, 600), ["3"]);
    // Two names of one file are one file.
    const all = new Follower({ path: directory, lineBytesMax: 1_000 });
    Deno.linkSync(other, `${directory}/same`);
    strictEqual(linesOf(all, 0).length, 0);
    Deno.writeTextFileSync(other, "4\n", { append: true });
    deepStrictEqual(linesOf(all, 2_000), ["4"]);
    all.close();
  } finally {
    follower.close();
    writer.end();
  }
});
