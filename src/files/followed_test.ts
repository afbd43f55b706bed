// Log files as their writers treat them: appended in pieces, renamed, made shorter, removed. Time
// is an argument, so nothing here waits.
import { deepStrictEqual, ok, strictEqual, throws } from "node:assert";
import { Follower } from "./followed.ts";
import type { TailPosition } from "./tail.ts";

const LINE_BYTES_MAX = 1_000_000;

class Scene {
  readonly directory = Deno.makeTempDirSync();
  readonly log = `${this.directory}/audit.log`;
  nowMs = 0;
  follower: Follower | undefined;

  follow(path = this.log, positions?: readonly TailPosition[]): void {
    this.follower?.close();
    const options = { path, lineBytesMax: LINE_BYTES_MAX };
    this.follower = new Follower(positions === undefined ? options : { ...options, positions });
  }

  append(text: string, path = this.log): void {
    Deno.writeTextFileSync(path, text, { append: true });
  }

  /** What comes out at this moment. */
  read(afterMs = 100): string {
    this.nowMs += afterMs;
    let text = "";
    for (;;) {
      const piece = this.follower!.read(this.nowMs);
      if (piece === undefined) return text;
      text += new TextDecoder().decode(piece.bytes);
    }
  }
}

function scene(act: (scene: Scene) => void): void {
  const made = new Scene();
  try {
    act(made);
  } finally {
    made.follower?.close();
    Deno.removeSync(made.directory, { recursive: true });
  }
}

Deno.test("a followed file gives what is written from now on", () => {
  scene((here) => {
    here.append("old\n");
    here.follow();
    strictEqual(here.read(), "");
    here.append("a\nb\n");
    strictEqual(here.read(), "a\nb\n");
    strictEqual(here.read(), "");
  });
});

Deno.test("a line that is written in pieces comes out whole", () => {
  scene((here) => {
    here.append("half of ");
    here.follow();
    strictEqual(here.read(), "");
    here.append("one, ");
    strictEqual(here.read(5_000), "");
    here.append("and its end\nnext");
    strictEqual(here.read(), "half of one, and its end\n");
  });
});

Deno.test("a whole document without its newline is taken after a while, and once", () => {
  scene((here) => {
    here.append("");
    here.follow();
    here.read();
    here.append('{"a": 1}');
    strictEqual(here.read(), "");
    strictEqual(here.read(2_000), '{"a": 1}');
    here.append("\n{}\n");
    strictEqual(here.read(), "\n{}\n");
  });
});

Deno.test("a file that is renamed is read to its end, also what comes late", () => {
  scene((here) => {
    here.append("");
    here.follow();
    here.read();
    here.append("a\n");
    Deno.renameSync(here.log, `${here.log}.1`);
    here.append("b\n", `${here.log}.1`);
    strictEqual(here.read(), "a\nb\n");
    here.append("c\n");
    here.append("late\n", `${here.log}.1`);
    deepStrictEqual(here.read().split("\n").sort(), ["", "c", "late"]);
    strictEqual(here.follower!.stats().rotated, 1);
    here.append("no newline", `${here.log}.1`);
    strictEqual(here.read(), "");
    strictEqual(here.read(20_000), "no newline");
    strictEqual(here.follower!.stats().files, 1);
  });
});

Deno.test("a file that is made shorter, or written anew, is read from its start", () => {
  scene((here) => {
    here.append("one line\n");
    here.follow();
    here.read();
    Deno.truncateSync(here.log);
    here.append("two\n");
    strictEqual(here.read(), "two\n");
    // Longer than before, between two looks: its first bytes tell.
    Deno.truncateSync(here.log);
    here.append("three is longer than two\n");
    strictEqual(here.read(), "three is longer than two\n");
    strictEqual(here.follower!.stats().shortened, 2);
  });
});

Deno.test("a file that is not there yet is waited for, a directory is not", () => {
  scene((here) => {
    here.follow();
    strictEqual(here.read(), "");
    here.append("first\n");
    strictEqual(here.read(), "first\n");
    Deno.removeSync(here.log);
    strictEqual(here.read(), "");
    here.append("again\n");
    strictEqual(here.read(), "again\n");
    throws(() => here.follow(`${here.directory}/none/audit.log`), /there is no such directory/);
  });
});

Deno.test("a line beyond the bound is passed over and counted, the next one is not", () => {
  scene((here) => {
    here.append("");
    here.follow();
    here.read();
    here.append("x".repeat(LINE_BYTES_MAX - 1) + "\n");
    strictEqual(here.read().length, LINE_BYTES_MAX);
    here.append("y".repeat(LINE_BYTES_MAX + 100_000));
    strictEqual(here.read(), "");
    here.append("y\nz\n");
    strictEqual(here.read(), "z\n");
    strictEqual(here.follower!.stats().tooLong, 1);
  });
});

Deno.test("a directory's files are followed, also under other names, packed ones are not", () => {
  scene((here) => {
    const other = `${here.directory}/b.log`;
    here.append("old\n");
    here.follow(here.directory);
    strictEqual(here.read(), "");
    here.append("a\n");
    here.append("b\n", other);
    here.append("packed\n", `${here.directory}/a.gz`);
    strictEqual(here.read(2_000), "a\nb\n");
    Deno.renameSync(here.log, `${here.log}.1`);
    here.append("c\n", `${here.log}.1`);
    here.append("d\n");
    deepStrictEqual(here.read(2_000).split("\n").sort(), ["", "c", "d"]);
    Deno.removeSync(other);
    here.read(2_000);
    strictEqual(here.follower!.stats().files, 2);
  });
});

Deno.test("who was there before goes on where that was, through a rename too", () => {
  scene((here) => {
    here.append("0\n");
    here.follow();
    here.read();
    here.append("1\n");
    strictEqual(here.read(), "1\n");
    const positions = here.follower!.positions();
    here.append("2\n");
    here.follow(here.log, positions);
    strictEqual(here.read(), "2\n");
    const later = here.follower!.positions();
    here.append("3\n");
    Deno.renameSync(here.log, `${here.directory}/audit-1.log`);
    here.append("4\n");
    here.follow(here.log, later);
    strictEqual(here.read(), "3\n4\n");
    // Another file with the same number is not taken for it.
    ok(positions[0]!.ino !== 0);
    here.follow(here.log, [{ ...here.follower!.positions()[0]!, head: "ffff" }]);
    strictEqual(here.read(), "4\n");
  });
});
