// The progress line of a replay: the engine's counters come in, one line that redraws itself
// goes to standard error. Only where that is a terminal and alerts do not run across it.
import { Counter, type Counters } from "../engine/contract/counters.ts";
import type { Terminal } from "./terminal.ts";

export interface Progress {
  stop(): void;
}

const REDRAW_MS = 200;
const CLEAR = "\r\x1b[K";

export function startProgress(counters: Counters, terminal: Terminal): Progress {
  if (!terminal.errorIsTerminal || terminal.outIsTerminal) return { stop() {} };
  const startedMs = performance.now();
  let drawn = false;
  const timer = setInterval(() => {
    drawn = true;
    const line = progressLine({
      read: counters.get(Counter.BytesRead),
      total: counters.get(Counter.BytesTotal),
      events: counters.get(Counter.Events),
      ms: performance.now() - startedMs,
    });
    terminal.draw(CLEAR + line);
  }, REDRAW_MS);
  return {
    stop(): void {
      clearInterval(timer);
      if (drawn) terminal.draw(CLEAR);
      drawn = false;
    },
  };
}

export interface ProgressState {
  readonly read: number;
  /** 0 where it is unknown, as on standard input. */
  readonly total: number;
  readonly events: number;
  readonly ms: number;
}

/** Such as `[#####-----]  50 %  1.20 M events, 2.40 M/s, 3 s left`. */
export function progressLine({ read, total, events, ms }: ProgressState): string {
  const rate = ms > 0 ? events / ms * 1000 : 0;
  const told = `${millions(events)} M events, ${millions(rate)} M/s`;
  if (total <= 0) return told;
  const share = Math.min(1, read / total);
  const full = Math.round(share * BAR);
  const bar = `[${"#".repeat(full)}${"-".repeat(BAR - full)}]`;
  const left = share > 0 ? `${Math.ceil(ms / 1000 * (1 - share) / share)} s left` : "";
  return `${bar} ${String(Math.round(share * 100)).padStart(3)} %  ${told}, ${left}`;
}

const BAR = 30;

function millions(count: number): string {
  return (count / 1e6).toFixed(2);
}
