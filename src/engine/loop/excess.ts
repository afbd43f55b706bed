// Which processes lost events over their share of a ring that filled up: what the source noted of
// them comes in, lines by name go out, with the drop alert or, where there is none, on their own.
import type { EventSource, ProcessExcess } from "../../events/source.ts";

/** Without a drop alert, a line is told at most so often. */
export const NOTICE_MS = 10_000;
/** Processes that are remembered between two lines, and that one line names. */
const PROCESSES_MAX = 1024;
const NAMED_MAX = 5;

export class ExcessWatch {
  #total = 0;
  #toldAtMs = -Infinity;
  readonly #byProcess = new Map<number, ProcessExcess>();

  /** Takes the present total; where it rose, asks the source for whose events they were. */
  update(total: number, source: EventSource): void {
    if (total <= this.#total) return;
    this.#total = total;
    for (const { pid, name, lost } of source.takeExcess?.() ?? []) {
      const known = this.#byProcess.get(pid);
      if (known === undefined && this.#byProcess.size >= PROCESSES_MAX) continue;
      this.#byProcess.set(pid, { pid, name: known?.name || name, lost: lost + (known?.lost ?? 0) });
    }
  }

  /** `cat[123]: 5000, …`: the greatest losses since the last call; empty where there is none. */
  take(nowMs: number): string {
    if (this.#byProcess.size === 0) return "";
    const all = [...this.#byProcess.values()].sort((a, b) => b.lost - a.lost);
    this.#byProcess.clear();
    this.#toldAtMs = nowMs;
    const named = all.slice(0, NAMED_MAX).map(({ pid, name, lost }) =>
      `${printable(name)}[${pid}]: ${lost}`
    );
    const others = all.slice(NAMED_MAX);
    if (others.length > 0) {
      const lost = others.reduce((sum, one) => sum + one.lost, 0);
      named.push(`${others.length} others: ${lost}`);
    }
    return named.join(", ");
  }

  /** The same as a line, not too often. */
  notice(nowMs: number): string | undefined {
    if (nowMs - this.#toldAtMs < NOTICE_MS) return undefined;
    const named = this.take(nowMs);
    return named === "" ? undefined : `Events lost over a process's share of the ring: ${named}`;
  }
}

/** A process chooses its own name. */
function printable(name: string): string {
  return name.replaceAll(/\p{C}/gu, "?");
}
