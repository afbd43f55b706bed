// The canary (`--canary 60s`): now and then saker starts itself with a mark and asks itself for its
// version only, which is harmless; a rule that takes nothing else turns that into an alert. What
// comes through kernel, ring, tables and rules to here shows that the whole path works. The alert
// goes to no output.
import type { Alert } from "../../engine/contract/alert.ts";
import { CANARY_RULE } from "../../engine/contract/canary.ts";
import { Counter, type Counters } from "../../engine/contract/counters.ts";
import type { RulesText } from "../../rules/load.ts";

export const CANARY_FILE = "saker's canary";
const MARK = "saker-canary-";
/** On a busy machine an alert takes its time; later than this it did not come. */
const LATE_MS = 30_000;

/** A rule about children of this process alone: nobody else can hide behind it. */
export function canaryRules(pid: number): RulesText {
  const item = {
    rule: CANARY_RULE,
    desc: "A process that saker starts to see whether it sees.",
    condition: `evt.type in (execve, execveat) and proc.ppid = ${pid} and ` +
      `proc.cmdline contains ${MARK}`,
    output: "%proc.cmdline",
    priority: "EMERGENCY",
  };
  return { name: CANARY_FILE, text: JSON.stringify([item]) };
}

export interface CanaryParts {
  readonly everyMs: number;
  readonly counters: Counters;
  readonly clock: () => number;
  readonly token: () => string;
  /** Starts the process whose arguments hold the mark; settles when it has ended. */
  readonly act: (mark: string) => Promise<void>;
}

export class Canary {
  readonly #parts: CanaryParts;
  /** Sent, and not seen yet: the mark, and when. */
  #waiting: { mark: string; sentMs: number } | undefined;
  #timer: number | undefined;
  #failure: string | undefined;

  constructor(parts: CanaryParts) {
    this.#parts = parts;
    parts.counters.set(Counter.CanaryEveryMs, parts.everyMs);
  }

  begin(): void {
    this.send();
    this.#timer = setInterval(() => this.send(), this.#parts.everyMs);
  }

  /** One is under way at a time: one that does not come stays the one that is missed. */
  send(): void {
    const { counters, clock, token, act } = this.#parts;
    if (this.#waiting !== undefined && clock() - this.#waiting.sentMs < LATE_MS) return;
    const mark = `${MARK}${token()}`;
    this.#waiting = { mark, sentMs: clock() };
    counters.add(Counter.CanariesSent, 1);
    if (counters.get(Counter.CanarySentMs) === 0) counters.set(Counter.CanarySentMs, clock());
    // Why it could not be started is told where it is missed; it never rejects.
    act(mark).then(() => this.#failure = undefined, (error) => {
      this.#failure = error instanceof Error ? error.message : String(error);
    });
  }

  /** The alerts without those of canaries. */
  sift(alerts: readonly Alert[]): readonly Alert[] {
    if (!alerts.some(({ rule }) => rule === CANARY_RULE)) return alerts;
    const nowMs = this.#parts.clock();
    for (const { rule, message, time } of alerts) {
      if (rule !== CANARY_RULE || this.#waiting === undefined) continue;
      if (message.includes(this.#waiting.mark)) this.#seen(Number(time / 1_000_000n), nowMs);
    }
    return alerts.filter(({ rule }) => rule !== CANARY_RULE);
  }

  #seen(actedMs: number, nowMs: number): void {
    const { counters } = this.#parts;
    this.#waiting = undefined;
    counters.add(Counter.CanariesSeen, 1);
    counters.set(Counter.CanarySeenMs, nowMs);
    counters.set(Counter.CanarySentMs, 0);
    counters.set(Counter.CanaryLatencyMs, Math.max(0, nowMs - actedMs));
  }

  /** What is amiss; undefined where the last one came, or may still come. */
  trouble(): string | undefined {
    const sentMs = this.#parts.counters.get(Counter.CanarySentMs);
    const lateMs = sentMs === 0 ? 0 : this.#parts.clock() - sentMs;
    if (lateMs < LATE_MS) return undefined;
    const why = this.#failure === undefined ? "" : `: it could not be started: ${this.#failure}`;
    return `no canary has come through for ${Math.round(lateMs / 1000)} s${why}`;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

/** This very program, which tells its version to nobody. */
export async function actOnce(mark: string): Promise<void> {
  const child = new Deno.Command("/proc/self/exe", {
    args: ["--version", "--config", mark],
    clearEnv: true,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await child.status;
}
