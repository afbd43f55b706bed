// Tables on a terminal: rows and a description of their columns come in, lines of at most a width
// go out. One column takes what the others leave; those that are not worth their room on a narrow
// terminal are left out.
import { columnsOf, fit, harmless } from "./columns.ts";
import { type Line, span, type Tone } from "./line.ts";

export interface Column<Row> {
  readonly title: string;
  /** Absent: it takes what the others leave, as far as its texts need it. */
  readonly width?: number;
  readonly align?: "left" | "right";
  /** Left out where there are fewer columns in all. */
  readonly least?: number;
  readonly text: (row: Row) => string;
  readonly tone?: (row: Row) => Tone;
  /** What it is sorted by: numbers from the greatest, texts from the first. */
  readonly value: (row: Row) => number | string;
}

export interface Sorting {
  /** Title of the column. */
  readonly by: string;
  readonly reversed: boolean;
}

/** What is shown of the columns in so many. */
export function shownColumns<Row>(all: readonly Column<Row>[], columns: number): Column<Row>[] {
  return all.filter(({ least = 0 }) => columns >= least);
}

export function sorted<Row>(
  rows: readonly Row[],
  all: readonly Column<Row>[],
  { by, reversed }: Sorting,
): Row[] {
  const value = (all.find(({ title }) => title === by) ?? all[0])?.value;
  if (value === undefined) return [...rows];
  const way = reversed ? -1 : 1;
  const keyed = rows.map((row) => ({ row, key: value(row) }));
  // Rows that are equal keep the order in which they came.
  keyed.sort(({ key: one }, { key: other }) => {
    if (one === other) return 0;
    if (typeof one === "number" && typeof other === "number") return way * (other - one);
    return way * (`${one}` < `${other}` ? -1 : 1);
  });
  return keyed.map(({ row }) => row);
}

/** The line of titles, then one for each row. */
export function tableLines<Row>(
  rows: readonly Row[],
  all: readonly Column<Row>[],
  columns: number,
  sorting?: Sorting,
): Line[] {
  const shown = shownColumns(all, columns);
  const fixed = shown.reduce((sum, { width = 0 }) => sum + width + 1, -1);
  const widths = shown.map(({ width, text, title }) => {
    if (width !== undefined) return width;
    const needed = Math.max(
      columnsOf(title) + 2,
      ...rows.map((row) => columnsOf(harmless(text(row)))),
    );
    return Math.max(4, Math.min(needed, columns - fixed));
  });
  const cells = (of: (column: Column<Row>) => string, tone: (column: Column<Row>) => Tone): Line =>
    shown.flatMap((column, at) => [
      ...(at === 0 ? [] : [span(" ")]),
      span(fit(harmless(of(column)), widths[at]!, column.align), tone(column)),
    ]);
  const titleOf = ({ title }: Column<Row>) =>
    title === sorting?.by ? `${title}${sorting.reversed ? "▲" : "▼"}` : title;
  return [
    cells(titleOf, () => "strong"),
    ...rows.map((row) => cells(({ text }) => text(row), ({ tone }) => tone?.(row) ?? "plain")),
  ];
}
