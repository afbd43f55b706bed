// Small plots as SVG, drawn on the server: numbers in the order of time come in, a line and the
// area below it go out. The browser's script exchanges the two paths and draws nothing itself.
import { count } from "./shown.ts";

export const PLOT_WIDTH = 240;
export const PLOT_HEIGHT = 48;

export interface PlotPaths {
  readonly line: string;
  readonly area: string;
}

/** Steps that nobody measured, `null`, leave a gap. `top`: what the full height stands for. */
export function pathsOf(values: readonly (number | null)[], top = highest(values)): PlotPaths {
  const step = PLOT_WIDTH / Math.max(1, values.length - 1);
  const height = PLOT_HEIGHT - 2;
  let [line, area] = ["", ""];
  let begun: string | undefined;
  let last = "";
  const close = () => {
    if (begun !== undefined) area += `${last}V${PLOT_HEIGHT}H${begun}Z`;
    // A line of one point would not be seen: it stands on the ground.
    if (begun !== undefined && !last.includes("L")) line += `V${PLOT_HEIGHT}`;
    begun = undefined;
    last = "";
  };
  for (const [at, value] of values.entries()) {
    if (value === null) {
      close();
      continue;
    }
    const x = digits(at * step);
    const y = digits(PLOT_HEIGHT - 1 - (top === 0 ? 0 : Math.min(1, value / top) * height));
    const piece = begun === undefined ? `M${x} ${y}` : `L${x} ${y}`;
    begun ??= x;
    line += piece;
    last += piece;
  }
  close();
  return { line, area };
}

export function highest(values: readonly (number | null)[]): number {
  let most = 0;
  for (const value of values) if (value !== null && value > most) most = value;
  return most;
}

function digits(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** What a plot is of, up to now. */
export interface Span {
  readonly untilMs: number;
  readonly ms: number;
  /** How many values it shows: the highest of each piece of it. */
  readonly pieces: number;
}

/** The highest value of each piece of the span; null where nobody measured. */
export function piecesOf(
  atMs: readonly number[],
  values: readonly (number | null)[],
  { untilMs, ms, pieces }: Span,
): readonly (number | null)[] {
  const found = new Array<number | null>(pieces).fill(null);
  for (const [index, at] of atMs.entries()) {
    const piece = Math.ceil(pieces * (at - untilMs) / ms) + pieces - 1;
    const value = values[index] ?? null;
    if (piece < 0 || piece >= pieces || value === null) continue;
    found[piece] = Math.max(found[piece] ?? 0, value);
  }
  return found;
}

export interface PlotProps {
  /** What the script knows it by. */
  readonly name: string;
  readonly title: string;
  readonly values: readonly (number | null)[];
  readonly unit: string;
  readonly isLoss?: boolean;
}

export function Plot({ name, title, values, unit, isLoss = false }: PlotProps) {
  const { line, area } = pathsOf(values);
  const label = `${title}: at most ${count(highest(values))} ${unit}`;
  return (
    <svg
      class={isLoss ? "plot lost" : "plot"}
      viewBox={`0 0 ${PLOT_WIDTH} ${PLOT_HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <path class="area" d={area} data-path={`${name}.area`} />
      <path class="line" d={line} data-path={`${name}.line`} />
    </svg>
  );
}
