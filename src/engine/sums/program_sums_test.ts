// What is asked of the thread that reads files, how often, and what its answers change.
import { deepStrictEqual, strictEqual } from "node:assert";
import { statSync } from "node:fs";
import { Strings } from "../../state/tables/strings.ts";
import { Thread } from "../../state/tables/thread.ts";
import type { SumAnswer, SumRequest } from "./program_file.ts";
import { openSumChannel, ProgramSums, startSumWorker } from "./program_sums.ts";

class Script {
  readonly strings = new Strings();
  readonly asked: SumRequest[] = [];
  readonly answers: SumAnswer[] = [];
  opened = 0;
  closed = 0;
  failed = false;
  nowMs = 0;
  readonly sums = new ProgramSums(this.strings, () => {
    this.opened++;
    return {
      ask: (request) => this.asked.push(request),
      take: () => this.answers.shift(),
      failed: () => this.failed,
      close: () => this.closed++,
    };
  }, () => this.nowMs);

  thread(pid: number, path = "/bin/a", inode = 7n): Thread {
    const thread = new Thread(pid, pid);
    thread.ptid = 1;
    thread.exepath = this.strings.internText(path);
    thread.exeIno = inode;
    thread.exeInoCtime = 5n;
    thread.exeInoMtime = 4n;
    thread.lastExecTs = 6n;
    return thread;
  }

  answer(sum: string | undefined): void {
    this.answers.push({ key: this.asked.at(-1)!.key, sum });
  }
}

Deno.test("ProgramSums asks once and knows the program from the answer on", () => {
  const script = new Script();
  strictEqual(script.opened, 0);
  strictEqual(script.sums.sha256(script.thread(10)), undefined);
  strictEqual(script.sums.sha256(script.thread(10)), undefined);
  const [{ key: _, ...request }] = script.asked as [SumRequest];
  deepStrictEqual(request, {
    pid: 10,
    parentPid: 1,
    path: "/bin/a",
    inode: 7n,
    changed: 5n,
    modified: 4n,
    executed: 6n,
  });
  script.answer("aa");
  strictEqual(script.sums.sha256(script.thread(10)), "aa");
  strictEqual(script.sums.sha256(script.thread(11)), "aa");
  deepStrictEqual([script.asked.length, script.opened], [1, 1]);
});

Deno.test("ProgramSums tells programs apart by inode and path", () => {
  const script = new Script();
  script.sums.sha256(script.thread(10));
  script.answer("aa");
  strictEqual(script.sums.sha256(script.thread(10, "/bin/a", 8n)), undefined);
  strictEqual(script.sums.sha256(script.thread(10, "/bin/b")), undefined);
  strictEqual(script.asked.length, 3);
});

Deno.test("ProgramSums tries what failed again with the next process only", () => {
  const script = new Script();
  script.sums.sha256(script.thread(10));
  script.answer(undefined);
  strictEqual(script.sums.sha256(script.thread(10)), undefined);
  strictEqual(script.asked.length, 1);
  script.sums.sha256(script.thread(11));
  strictEqual(script.asked.length, 2);
  script.answer("bb");
  strictEqual(script.sums.sha256(script.thread(10)), "bb");
});

Deno.test("ProgramSums does not ask for a thread without a program", () => {
  const script = new Script();
  script.sums.sha256(script.thread(10, "", 0n));
  strictEqual(script.opened, 0);
});

Deno.test("ProgramSums bounds what is asked for at once and counts the rest", () => {
  const script = new Script();
  for (let at = 1; at <= 300; at++) script.sums.sha256(script.thread(at, "/bin/a", BigInt(at)));
  deepStrictEqual([script.asked.length, script.sums.postponed], [256, 44]);
  script.answer("aa");
  script.sums.sha256(script.thread(300, "/bin/a", 300n));
  strictEqual(script.asked.length, 257);
});

Deno.test("openSumChannel answers from a thread of its own", async () => {
  const { ino, ctimeNs, mtimeNs } = statSync(`/proc/${Deno.pid}/exe`, { bigint: true });
  const channel = openSumChannel("");
  try {
    channel.ask({
      key: "me",
      pid: Deno.pid,
      parentPid: 1,
      path: "",
      inode: ino,
      changed: ctimeNs,
      modified: mtimeNs,
      executed: 0n,
    });
    let answer = channel.take();
    while (answer === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      answer = channel.take();
    }
    strictEqual(answer.key, "me");
    strictEqual(answer.sum?.length, 64);
  } finally {
    channel.close();
  }
});

Deno.test("ProgramSums leaves a file that hangs, and asks for what waited behind it", () => {
  const script = new Script();
  const hung = script.thread(10, "/mnt/gone/a", 1n);
  const other = script.thread(11, "/bin/b", 2n);
  script.sums.sha256(hung);
  script.sums.sha256(other);
  script.nowMs = 59_000;
  script.sums.sha256(script.thread(12, "/bin/c", 3n));
  deepStrictEqual([script.opened, script.closed, script.asked.length], [1, 0, 3]);
  script.nowMs = 61_000;
  script.sums.sha256(other);
  deepStrictEqual([script.opened, script.closed, script.asked.length], [2, 1, 4]);
  script.answer("bb");
  strictEqual(script.sums.sha256(other), "bb");
  script.sums.sha256(hung);
  deepStrictEqual([script.asked.length, script.sums.postponed], [4, 1]);
});

Deno.test("ProgramSums gives up where file after file hangs", () => {
  const script = new Script();
  for (let file = 0; file < 20; file++) {
    script.sums.sha256(script.thread(10 + file, `/mnt/gone/${file}`, BigInt(file + 1)));
    script.nowMs += 61_000;
  }
  deepStrictEqual([script.opened, script.closed], [4, 4]);
});

Deno.test("ProgramSums asks another thread where the one that was asked has failed", () => {
  const script = new Script();
  const fatal = script.thread(10, "/bin/a", 1n);
  const other = script.thread(11, "/bin/b", 2n);
  script.sums.sha256(fatal);
  script.sums.sha256(other);
  script.failed = true;
  script.sums.sha256(other);
  script.failed = false;
  deepStrictEqual([script.opened, script.closed, script.asked.length], [2, 1, 3]);
  script.answer("bb");
  strictEqual(script.sums.sha256(other), "bb");
});

for (const failure of ["messageerror", "error"]) {
  Deno.test(`openSumChannel tells that its thread has failed (${failure})`, () => {
    const worker = startSumWorker();
    const channel = openSumChannel("", worker);
    try {
      strictEqual(channel.failed(), false);
      // The runtime gives no way to make either happen for sure.
      const isError = failure === "error";
      worker.dispatchEvent(isError ? new ErrorEvent("error") : new MessageEvent("messageerror"));
      strictEqual(channel.failed(), true);
    } finally {
      channel.close();
    }
  });
}
