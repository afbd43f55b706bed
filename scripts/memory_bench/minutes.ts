// What the benches of minutes have in common: how long and beside how much work, and rows of cells.

export interface Minutes {
  readonly minutes: number;
  /** Of a core, that the work beside takes. */
  readonly share: number;
}

/** `--minutes N --share P`; undefined where anything else is asked for. */
export function parseMinutes(args: readonly string[]): Minutes | undefined {
  const options = { minutes: 60, share: 0.15 };
  for (let at = 0; at < args.length; at += 2) {
    const value = Number(args[at + 1]);
    if (args[at] === "--minutes" && value >= 1) options.minutes = value;
    else if (args[at] === "--share" && value >= 1) options.share = value / 100;
    else return undefined;
  }
  return options;
}

export function row(cells: readonly string[]): string {
  return cells.map((cell) => cell.padStart(10)).join("");
}
