// The order of descriptors that Falco's hash table has: known cases, and a plain model of the
// table on random ones.
import { deepStrictEqual } from "node:assert";
import { FdOrder } from "./fd_order.ts";

function order(...numbers: number[]): FdOrder {
  const made = new FdOrder();
  for (const number of numbers) made.insert(number);
  return made;
}

Deno.test("the newest descriptor comes first", () => {
  deepStrictEqual([...order(0, 1, 2, 3).numbers()], [3, 2, 1, 0]);
});

Deno.test("a descriptor of a bucket that is in use goes before the others of the bucket", () => {
  deepStrictEqual([...order(0, 1, 2, 14).numbers()], [2, 14, 1, 0], "14 and 1 of 13 buckets");
});

Deno.test("the fourteenth turns the order of the first thirteen round", () => {
  const numbers = Array.from({ length: 14 }, (_, at) => at);
  deepStrictEqual([...order(...numbers).numbers()], [13, ...numbers.slice(0, 13)]);
});

Deno.test("a copy has the order of a table that was filled from the first one", () => {
  deepStrictEqual([...order(0, 1, 2).copied().numbers()], [0, 1, 2]);
});

/** The same table, as a list of nodes that is searched from its start. */
class Model {
  list: number[] = [];
  buckets = 13;

  insert(number: number): void {
    if (this.list.length >= this.buckets) {
      const old = this.list;
      this.buckets = this.buckets === 13 ? 29 : this.buckets === 29 ? 59 : 127;
      this.list = [];
      for (const node of old) this.place(node);
    }
    this.place(number);
  }

  place(number: number): void {
    const bucket = (node: number) => node % this.buckets;
    const first = this.list.findIndex((node) => bucket(node) === bucket(number));
    this.list.splice(Math.max(first, 0), 0, number);
  }

  remove(number: number): void {
    this.list = this.list.filter((node) => node !== number);
  }
}

Deno.test("adding and removing at random keeps the order of the model", () => {
  let state = 7;
  const random = (below: number) => {
    state = Math.imul(state, 1103515245) + 12345 | 0;
    return (state >>> 8) % below;
  };
  const table = new FdOrder();
  const model = new Model();
  for (let step = 0; step < 3000; step++) {
    const number = random(100);
    if (model.list.includes(number)) {
      table.remove(number);
      model.remove(number);
    } else if (model.list.length < 100) {
      table.insert(number);
      model.insert(number);
    }
    deepStrictEqual([...table.numbers()], model.list, `step ${step}`);
  }
  table.remove(4711);
  deepStrictEqual([...table.numbers()], model.list);
});
