// How far something is that takes some steps: one line on standard error that redraws itself, where
// that is a terminal; elsewhere nothing is shown.
import { visibleLine } from "../../words/visible.ts";
import type { Terminal } from "../terminal.ts";

export interface Steps {
  show(done: number, all: number, what: string): void;
  stop(): void;
}

const BAR = 30;
const CLEAR = "\r\x1b[K";

export function startSteps(terminal: Terminal): Steps {
  if (!terminal.errorIsTerminal) return { show() {}, stop() {} };
  let isDrawn = false;
  return {
    show(done, all, what): void {
      isDrawn = true;
      terminal.draw(CLEAR + stepLine(done, all, what));
    },
    stop(): void {
      if (isDrawn) terminal.draw(CLEAR);
      isDrawn = false;
    },
  };
}

/** Such as `[##########--------------------]  33 %  kernel module: CC glue.o`. */
export function stepLine(done: number, all: number, what: string): string {
  const share = all > 0 ? Math.min(1, done / all) : 0;
  const full = Math.round(share * BAR);
  const bar = `[${"#".repeat(full)}${"-".repeat(BAR - full)}]`;
  return `${bar} ${String(Math.round(share * 100)).padStart(3)} %  ${visibleLine(what)}`;
}
