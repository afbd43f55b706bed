// The descriptors of one process, by number. A forked process shares its parent's table until
// either of them changes it: most children only execute another program and end.
import type { Fd } from "./fd.ts";
import { FdOrder } from "./fd_order.ts";

/** Descriptors below this are held in a plain array, others in a Map. */
const DENSE_MAX = 1024;

/** How many descriptors all tables hold together; a table that shares its parent's counts none. */
export interface FdBudget {
  held: number;
  readonly max: number;
  refused: number;
  added: number;
  removed: number;
  /** Whether tables keep Falco's order of their descriptors, which costs time. */
  ordered?: boolean;
}

export class FdTable {
  size = 0;
  readonly #budget: FdBudget;
  #dense: (Fd | undefined)[] = [];
  #sparse: Map<number, Fd> | undefined = undefined;
  /** Whether another table may hold the same array and Map. */
  #shared = false;
  /** What the budget was charged for this table. */
  #charged = 0;
  #order: FdOrder | undefined = undefined;

  constructor(budget: FdBudget) {
    this.#budget = budget;
  }

  get(number: number): Fd | undefined {
    if (number < DENSE_MAX) {
      return number >= 0 && number < this.#dense.length ? this.#dense[number] : undefined;
    }
    return this.#sparse === undefined ? undefined : this.#sparse.get(number);
  }

  /** Returns whether it was taken: a new number is refused when the budget is spent. */
  set(number: number, fd: Fd): boolean {
    if (number < 0 || (this.#shared && !this.#own())) return false;
    if (number >= DENSE_MAX) return this.#setSparse(number, fd);
    const dense = this.#dense;
    if (number < dense.length) {
      if (dense[number] === undefined && !this.#charge(number)) return false;
    } else {
      if (!this.#charge(number)) return false;
      while (dense.length < number) dense.push(undefined);
    }
    dense[number] = fd;
    return true;
  }

  /** Falco keeps a failed memfd_create or pidfd_getfd under its error: nothing finds it there, but
   * it counts. */
  setFailed(result: number, fd: Fd): void {
    if (this.#shared && !this.#own()) return;
    this.#setSparse(result, fd);
  }

  delete(number: number): void {
    if (this.get(number) === undefined) return;
    if (this.#shared && !this.#own()) return;
    if (number < DENSE_MAX) this.#dense[number] = undefined;
    else this.#sparse!.delete(number);
    this.size--;
    this.#order?.remove(number);
    this.#charged--;
    this.#budget.held--;
    this.#budget.removed++;
  }

  /** A table that starts with the same descriptors. */
  copy(): FdTable {
    const table = new FdTable(this.#budget);
    table.#dense = this.#dense;
    table.#sparse = this.#sparse;
    table.size = this.size;
    table.#shared = this.#shared = true;
    table.#order = this.#order?.copied();
    return table;
  }

  /** Begins to keep Falco's order, with what is here by number, or no longer keeps it. */
  keepOrder(wanted: boolean): void {
    this.#order = undefined;
    if (!wanted) return;
    for (const [number] of this.entries()) (this.#order ??= new FdOrder()).insert(number);
  }

  /** To be called when the process is gone. */
  drop(): void {
    this.#budget.held -= this.#charged;
    this.#charged = 0;
    this.#dense = [];
    this.#sparse = undefined;
    this.#order = undefined;
    this.size = 0;
  }

  /** Whether `test` holds for one of the descriptors. */
  some(test: (fd: Fd, number: number) => boolean): boolean {
    const dense = this.#dense;
    for (let number = 0; number < dense.length; number++) {
      const fd = dense[number];
      if (fd !== undefined && test(fd, number)) return true;
    }
    if (this.#sparse !== undefined) {
      for (const [number, fd] of this.#sparse) if (test(fd, number)) return true;
    }
    return false;
  }

  /** Takes out those for which `test` holds. */
  deleteEach(test: (fd: Fd) => boolean): void {
    // Not the array itself: the first that goes may make the table's own.
    for (let number = 0; number < this.#dense.length; number++) {
      const fd = this.#dense[number];
      if (fd !== undefined && test(fd)) this.delete(number);
    }
    if (this.#sparse === undefined) return;
    for (const [number, fd] of [...this.#sparse]) if (test(fd)) this.delete(number);
  }

  /** Numbers and descriptors, lowest first in what a program usually has. */
  *entries(): Generator<[number, Fd]> {
    for (const [number, fd] of this.#dense.entries()) if (fd !== undefined) yield [number, fd];
    if (this.#sparse !== undefined) yield* this.#sparse;
  }

  /** The descriptors in Falco's order, where it is kept; else as `entries`. */
  *inOrder(): Generator<Fd> {
    if (this.#order === undefined) { for (const [, fd] of this.entries()) yield fd; }
    else {for (const number of this.#order.numbers()) {
        yield this.get(number) ?? this.#sparse!.get(number)!;
      }}
  }

  #setSparse(number: number, fd: Fd): boolean {
    this.#sparse ??= new Map();
    if (!this.#sparse.has(number) && !this.#charge(number)) return false;
    this.#sparse.set(number, fd);
    return true;
  }

  #charge(number: number): boolean {
    const budget = this.#budget;
    if (budget.held >= budget.max) {
      budget.refused++;
      return false;
    }
    budget.held++;
    budget.added++;
    this.#charged++;
    this.size++;
    if (budget.ordered) (this.#order ??= new FdOrder()).insert(number);
    return true;
  }

  /** Whether the table has its own descriptors now: a copy is refused when the budget is spent. */
  #own(): boolean {
    const budget = this.#budget;
    const more = this.size - this.#charged;
    if (more > 0 && budget.held + more > budget.max) {
      budget.refused++;
      return false;
    }
    this.#dense = this.#dense.slice();
    if (this.#sparse !== undefined) this.#sparse = new Map(this.#sparse);
    this.#shared = false;
    budget.held += more;
    this.#charged = this.size;
    return true;
  }
}
