// The progress line of a replay: the engine's counters come in, one line that redraws itself
// goes to standard error. Only where that is a terminal and alerts do not run across it.
import { Counter, type Counters } from "../engine/contract/counters.ts";
import { CLEAR_LINE, type Terminal } from "./terminal.ts";

export interface Progress {
  stop(): void;
}

const REDRAW_MS = 200;

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
    }, terminal.errorColumns());
    // One that goes on in the next row could not be drawn over.
    terminal.draw(CLEAR_LINE + line.slice(0, (terminal.errorColumns() ?? COLUMNS) - 1));
  }, REDRAW_MS);
  return {
    stop(): void {
      clearInterval(timer);
      if (drawn) terminal.draw(CLEAR_LINE);
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
export function progressLine(
  { read, total, events, ms }: ProgressState,
  columns = COLUMNS,
): string {
  const rate = ms > 0 ? events / ms * 1000 : 0;
  const told = `${millions(events)} M events, ${millions(rate)} M/s`;
  if (total <= 0) return told;
  const share = Math.min(1, read / total);
  const percent = `${String(Math.round(share * 100)).padStart(3)} %`;
  const left = share > 0 ? `${Math.ceil(ms / 1000 * (1 - share) / share)} s left` : "";
  const text = `${percent}  ${told}, ${left}`;
  const room = Math.min(BAR, columns - text.length - 4);
  if (room < BAR_MIN) return left === "" ? percent : `${percent}  ${left}, ${told}`;
  const full = Math.round(share * room);
  return `[${"#".repeat(full)}${"-".repeat(room - full)}] ${text}`;
}

const BAR = 30;
/** A shorter one says nothing. */
const BAR_MIN = 10;
/** Where a terminal does not tell. */
const COLUMNS = 80;

function millions(count: number): string {
  return (count / 1e6).toFixed(2);
}
