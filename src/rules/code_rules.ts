// The rules of one event code, with what is left of their conditions once the event's type is
// known, found by the atoms that must hold for them.
import type { Node } from "./condition.ts";

export interface Entry {
  /** The rule's index. */
  readonly rule: number;
  readonly node: Node;
}

export class CodeRules {
  /** Rules that no atom of a thread or name must hold for. */
  readonly always: readonly Entry[];
  /** By a thread's atom: for each of the rules one of its atoms must hold. */
  readonly byThread: ReadonlyMap<number, readonly Entry[]>;
  /** By a name's atom, likewise; rules that are in `byThread` are not in here. */
  readonly byName: ReadonlyMap<number, readonly Entry[]>;

  constructor(entries: readonly Entry[]) {
    const always: Entry[] = [];
    const byThread = new Map<number, Entry[]>();
    const byName = new Map<number, Entry[]>();
    const guards = new Guards();
    for (const entry of entries) {
      const thread = guards.of(entry.node, "thread");
      const name = thread === undefined ? guards.of(entry.node, "name") : undefined;
      if (thread !== undefined) { for (const atom of thread) put(byThread, atom, entry); }
      else if (name !== undefined) { for (const atom of name) put(byName, atom, entry); }
      else always.push(entry);
    }
    this.always = always;
    this.byThread = byThread;
    this.byName = byName;
  }
}

function put(map: Map<number, Entry[]>, atom: number, entry: Entry): void {
  const known = map.get(atom);
  if (known === undefined) map.set(atom, [entry]);
  else known.push(entry);
}

type GuardDomain = "thread" | "name";

/** Atoms of a domain of which one at least holds wherever a condition does. */
class Guards {
  readonly #known = {
    thread: new Map<number, ReadonlySet<number> | undefined>(),
    name: new Map<number, ReadonlySet<number> | undefined>(),
  };

  of(node: Node, domain: GuardDomain): ReadonlySet<number> | undefined {
    const known = this.#known[domain];
    if (known.has(node.id)) return known.get(node.id);
    const guard = this.#compute(node, domain);
    known.set(node.id, guard);
    return guard;
  }

  #compute(node: Node, domain: GuardDomain): ReadonlySet<number> | undefined {
    switch (node.kind) {
      case "atom":
        return node.atom.domain === domain ? new Set([node.atom.id]) : undefined;
      case "and": {
        let best: ReadonlySet<number> | undefined;
        for (const child of node.children) {
          const guard = this.of(child, domain);
          if (guard !== undefined && (best === undefined || guard.size < best.size)) best = guard;
        }
        return best;
      }
      case "or": {
        const all = new Set<number>();
        for (const child of node.children) {
          const guard = this.of(child, domain);
          if (guard === undefined) return undefined;
          for (const atom of guard) all.add(atom);
        }
        return all;
      }
      default:
        return undefined;
    }
  }
}
