// The order in which Falco lists a process's descriptors (`fd.types`): that of the nodes of the
// hash table that it keeps them in (libstdc++'s unordered_map, whose hash of a number is the
// number). It depends on all that was ever added and removed, so it is kept beside the table, and
// only where a rule shows it.
//
// A new descriptor goes before the others of its bucket, or to the very front where it is the
// first of its bucket. When there are more descriptors than buckets, the next number of buckets is
// taken, and the nodes are put in anew, in the order that they had.

/** Numbers of buckets: primes, each more than twice the one before. */
const BUCKETS = [13, 29, 59, 127, 257, 541, 1109, 2357, 5087, 10_273, 20_753, 42_043, 85_229];
/** Stands for the place before the first node, and for the place behind the last. */
const HEAD = -1_000_000;
const END = -1_000_001;

export class FdOrder {
  #first = END;
  #buckets = BUCKETS[0]!;
  #size = 0;
  readonly #next = new Map<number, number>();
  /** By bucket: the node before its first one. */
  #before = new Map<number, number>();

  /** To be called for numbers that are not there yet. */
  insert(number: number): void {
    if (this.#size >= this.#buckets) this.#grow();
    this.#size++;
    this.#place(number);
  }

  remove(number: number): void {
    const bucket = bucketOf(number, this.#buckets);
    const start = this.#before.get(bucket);
    if (start === undefined || !this.#next.has(number)) return;
    let previous = start;
    while (this.#after(previous) !== number) previous = this.#after(previous);
    const next = this.#after(number);
    const nextBucket = next === END ? -1 : bucketOf(next, this.#buckets);
    if (previous === start && nextBucket !== bucket) this.#before.delete(bucket);
    if (next !== END && nextBucket !== bucket) this.#before.set(nextBucket, previous);
    this.#link(previous, next);
    this.#next.delete(number);
    this.#size--;
  }

  /** The order of a table that gets the same descriptors one after the other, as a child's does. */
  copied(): FdOrder {
    const copy = new FdOrder();
    for (const number of this.numbers()) copy.insert(number);
    return copy;
  }

  *numbers(): Generator<number> {
    for (let at = this.#first; at !== END; at = this.#after(at)) yield at;
  }

  #after(node: number): number {
    return node === HEAD ? this.#first : this.#next.get(node)!;
  }

  #link(node: number, next: number): void {
    if (node === HEAD) this.#first = next;
    else this.#next.set(node, next);
  }

  #insertBehind(node: number, number: number): void {
    this.#next.set(number, this.#after(node));
    this.#link(node, number);
  }

  /** Puts a number that is the first of its bucket before all others. */
  #toFront(number: number): void {
    const first = this.#first;
    this.#next.set(number, first);
    if (first !== END) this.#before.set(bucketOf(first, this.#buckets), number);
    this.#first = number;
    this.#before.set(bucketOf(number, this.#buckets), HEAD);
  }

  #grow(): void {
    const numbers = [...this.numbers()];
    this.#buckets = BUCKETS.find((count) => count > this.#buckets) ?? this.#buckets * 2 + 1;
    this.#first = END;
    this.#next.clear();
    this.#before = new Map();
    for (const number of numbers) this.#place(number);
  }

  #place(number: number): void {
    const before = this.#before.get(bucketOf(number, this.#buckets));
    if (before === undefined) this.#toFront(number);
    else this.#insertBehind(before, number);
  }
}

/** The number's bucket; a negative one is taken for the unsigned 64-bit number of its bits. */
function bucketOf(number: number, buckets: number): number {
  if (number >= 0) return number % buckets;
  return Number(BigInt.asUintN(64, BigInt(number)) % BigInt(buckets));
}
