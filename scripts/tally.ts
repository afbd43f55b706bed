// What a test runner printed → how many tests passed, failed and were skipped.

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Who printed the output: `check` is a tool that only succeeds or fails and counts as one. */
export type Runner = "check" | "deno" | "cargo" | "plain";

const NONE: Tally = { passed: 0, failed: 0, skipped: 0 };

/**
 * Counts a suite's output. A run that failed without saying so, and one that ran nothing, count
 * as one failure: neither may look like success.
 */
export function tally(runner: Runner, output: string, exitCode: number): Tally {
  if (runner === "check") return exitCode === 0 ? { ...NONE, passed: 1 } : { ...NONE, failed: 1 };
  const lines = output.replaceAll(ANSI, "").split(/\r?\n/);
  const sum = lines.map((line) => READERS[runner](line)).reduce(add, NONE);
  const isSilentFailure = exitCode !== 0 && sum.failed === 0;
  const isEmpty = sum.passed + sum.failed === 0;
  return isSilentFailure || isEmpty ? { ...sum, failed: sum.failed + 1 } : sum;
}

export function add(a: Tally, b: Tally): Tally {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  };
}

/** The form of the last line: `12 passed, 0 failed`, and `, 1 skipped` where some were. */
export function summary({ passed, failed, skipped }: Tally): string {
  const text = `${passed} passed, ${failed} failed`;
  return skipped > 0 ? `${text}, ${skipped} skipped` : text;
}

// deno-lint-ignore no-control-regex -- Colours begin with the escape character.
const ANSI = /\u001b\[[0-9;]*m/g;

const READERS: Record<Exclude<Runner, "check">, (line: string) => Tally> = {
  // ok | 12 passed (3 steps) | 0 failed | 1 ignored (2 steps) | 4 filtered out (2s)
  deno: (line) =>
    /^(ok|FAILED) \| /.test(line)
      ? {
        passed: before(line, "passed"),
        failed: before(line, "failed"),
        skipped: ignored(line) + ignoredSteps(line),
      }
      : NONE,
  // test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0s
  cargo: (line) =>
    line.startsWith("test result: ")
      ? { passed: before(line, "passed"), failed: before(line, "failed"), skipped: ignored(line) }
      : NONE,
  plain: (line) =>
    /^\d+ passed, \d+ failed(, \d+ skipped)?$/.test(line)
      ? {
        passed: before(line, "passed"),
        failed: before(line, "failed"),
        skipped: before(line, "skipped"),
      }
      : NONE,
};

function ignored(line: string): number {
  return before(line, "ignored");
}

/** Steps that a test left out when it ran, having found that they would show nothing. */
function ignoredSteps(line: string): number {
  return Number(/\bignored \((\d+) steps?\)/.exec(line)?.[1] ?? 0);
}

/** The number in front of a word; 0 where the word is not there. */
function before(line: string, word: string): number {
  return Number(new RegExp(`(\\d+) ${word}\\b`).exec(line)?.[1] ?? 0);
}
