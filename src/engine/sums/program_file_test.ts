// Sums of files on disk, and when a file must not be taken for the program.
import { strictEqual } from "node:assert";
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { keep, ProgramFiles, type SumRequest } from "./program_file.ts";

/** Of "abc", from the standard. */
const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const SECOND_NS = 1_000_000_000n;
const NOBODY = 0x7fff_ffff;

function withFile(content: string, run: (path: string) => void): void {
  const path = Deno.makeTempFileSync({ prefix: "saker-" });
  try {
    Deno.writeTextFileSync(path, content);
    run(path);
  } finally {
    Deno.removeSync(path);
  }
}

function requestOf(path: string, changes: Partial<SumRequest> = {}): SumRequest {
  const { ino, ctimeNs, mtimeNs } = statSync(path, { bigint: true });
  return {
    key: "k",
    pid: NOBODY,
    parentPid: NOBODY,
    path,
    inode: ino,
    // The kernel tells more than is read from the file.
    changed: ctimeNs + 123_456n,
    modified: mtimeNs + 456n,
    executed: ctimeNs + SECOND_NS,
    ...changes,
  };
}

Deno.test("ProgramFiles sums the file of a process that has gone by its path", () => {
  withFile("abc", (path) => {
    strictEqual(new ProgramFiles("").sumOf(requestOf(path)), ABC);
  });
});

Deno.test("ProgramFiles sums the file that a process runs although its path is another", () => {
  const request = requestOf(`/proc/${Deno.pid}/exe`, { pid: Deno.pid, path: "/nowhere" });
  strictEqual(new ProgramFiles("").sumOf(request)?.length, 64);
});

Deno.test("ProgramFiles looks into the root of the parent", () => {
  withFile("abc", (path) => {
    const request = requestOf(path, { parentPid: Deno.pid });
    strictEqual(new ProgramFiles("/").sumOf(request), ABC);
  });
});

Deno.test("ProgramFiles leaves a file alone that was changed after it was executed", () => {
  withFile("abc", (path) => {
    const request = requestOf(path);
    const { changed, modified } = request;
    const files = new ProgramFiles("");
    strictEqual(files.sumOf({ ...request, changed: changed - SECOND_NS }), undefined);
    strictEqual(files.sumOf({ ...request, modified: modified - 1_000_000n }), undefined);
  });
});

Deno.test("ProgramFiles trusts no path that a change since would not show at", () => {
  withFile("abc", (path) => {
    const request = requestOf(path);
    strictEqual(new ProgramFiles("").sumOf({ ...request, executed: request.changed }), undefined);
  });
});

Deno.test("ProgramFiles leaves another file in the program's place alone", () => {
  withFile("abc", (path) => {
    const request = requestOf(path);
    strictEqual(new ProgramFiles("").sumOf({ ...request, inode: request.inode + 1n }), undefined);
  });
});

Deno.test("ProgramFiles does not read what is no file", () => {
  strictEqual(new ProgramFiles("").sumOf(requestOf("/dev/zero")), undefined);
});

Deno.test("ProgramFiles answers nothing for a path that is none", () => {
  withFile("abc", (path) => {
    strictEqual(new ProgramFiles("").sumOf(requestOf(path, { path: "" })), undefined);
    strictEqual(new ProgramFiles("").sumOf(requestOf(path, { path: "/no/such" })), undefined);
  });
});

Deno.test("ProgramFiles sums a file longer than what is read at once", () => {
  const content = "a".repeat(2_500_000);
  withFile(content, (path) => {
    const expected = createHash("sha256").update(content).digest("hex");
    strictEqual(new ProgramFiles("").sumOf(requestOf(path)), expected);
  });
});

Deno.test("keep forgets what was added first", () => {
  const map = new Map([["a", 1], ["b", 2]]);
  keep(map, "c", 3, 2);
  strictEqual([...map.keys()].join(" "), "b c");
});
