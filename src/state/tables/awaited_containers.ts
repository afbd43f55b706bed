// Which containers are new and what is known of them is still to come: ids come in where cgroups
// tell them, out goes whom to ask about, and whose wait an event has ended. Ids are as long as the
// cgroups tell them, so that none is taken for another that begins alike.

/** Ids that are remembered as asked for; the oldest go first, and may be asked for once more. */
const ASKED_MAX = 16_384;
/** Awaited at a time; more are not waited for. */
const AWAITED_MAX = 4_096;

export class AwaitedContainers {
  /** Live with runtimes to ask, and over recordings that were made so. */
  enabled = false;
  /** Containers that were not waited for, since too many were awaited. */
  refused = 0;
  /** How much there is to look at: nothing in nearly all events. */
  active = 0;
  readonly #awaited = new Set<string>();
  readonly #asked = new Set<string>();
  #fresh: string[] = [];
  #answered: string[] = [];
  #held: string[] = [];

  /** A thread was found to be in this container, of which nothing is known. */
  note(id: string): void {
    if (!this.enabled || this.#asked.has(id)) return;
    if (this.#asked.size >= ASKED_MAX) this.#asked.delete(this.#asked.values().next().value!);
    this.#asked.add(id);
    if (this.#awaited.size >= AWAITED_MAX) {
      this.refused++;
      return;
    }
    this.#awaited.add(id);
    if (this.#fresh.length < AWAITED_MAX) this.#fresh.push(id);
    this.#count();
  }

  /** Alerts wait from now on, those of the given containers at once. */
  enable(ids: Iterable<string> = NONE): void {
    this.enabled = true;
    for (const id of ids) this.note(id);
  }

  /** Other tables come, in which all are new. */
  clear(): void {
    for (const id of this.#awaited) this.#answered.push(id);
    this.#awaited.clear();
    this.#asked.clear();
    this.#fresh = [];
    this.#count();
  }

  *all(): Generator<string> {
    yield* this.#awaited;
  }

  /** Something is known of it now, or never will be. */
  end(id: string): void {
    if (!this.#awaited.delete(id)) return;
    this.#answered.push(id);
    this.#count();
  }

  /** It has ended: another of this id would be a new one. */
  forget(id: string): void {
    this.#asked.delete(id);
  }

  has(id: string): boolean {
    return this.#awaited.has(id);
  }

  /** Nobody is to be asked about, and no alert began to wait. */
  get isQuiet(): boolean {
    return this.#fresh.length === 0 && this.#held.length === 0;
  }

  /** Whom to ask about, each once. */
  takeFresh(): readonly string[] {
    if (this.#fresh.length === 0) return NONE;
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh;
  }

  /** An alert of it waits from now on. */
  hold(id: string): void {
    // A replay asks nobody.
    if (this.#held.length < AWAITED_MAX) this.#held.push(id);
  }

  /** Of which an alert began to wait since the last call. */
  takeHeld(): readonly string[] {
    if (this.#held.length === 0) return NONE;
    const held = this.#held;
    this.#held = [];
    return held;
  }

  /** Whose wait has ended since the last call. */
  takeAnswered(): readonly string[] {
    if (this.#answered.length === 0) return NONE;
    const answered = this.#answered;
    this.#answered = [];
    this.#count();
    return answered;
  }

  #count(): void {
    this.active = this.#awaited.size + this.#answered.length;
  }
}

const NONE: readonly string[] = [];
