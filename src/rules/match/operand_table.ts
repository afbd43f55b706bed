// The operands that decide which rules can match: those of threads, those of descriptor names, and
// those of the event that cost little. Each has a number; asking one gives the class of its value.
import { seenBy } from "../../fields/rows/view_fields.ts";
import type { Context } from "../../state/contract/context.ts";
import { Differs, showsOwnProgram } from "../../state/contract/views.ts";
import type { Atom } from "../check/condition.ts";
import { NameClasses } from "./name_classes.ts";
import { OperandClasses } from "./operand_classes.ts";
import { type Place, ThreadClasses } from "./thread_classes.ts";

/** Fields that the thread alone decides; others may change with its ancestors, or with users. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  "proc.name",
  "proc.exe",
  "proc.exepath",
  "proc.cmdline",
  "proc.args",
  "proc.cmdnargs",
  "proc.exeline",
  "proc.tty",
  "proc.pid",
  "proc.vpid",
  "proc.is_exe_writable",
  "proc.is_exe_upper_layer",
  "proc.is_exe_lower_layer",
  "proc.is_exe_from_memfd",
  "thread.cap_permitted",
  "thread.cap_inheritable",
  "thread.cap_effective",
  "thread.tid",
  "user.uid",
]);

/** Fields of the event itself that take no longer than a look at a table. */
const CHEAP_FIELDS: ReadonlySet<string> = new Set([
  "evt.is_open_read",
  "evt.is_open_write",
  "evt.is_open_exec",
  "evt.is_open_create",
  "evt.rawres",
  "evt.failed",
  "fd.num",
  "fd.typechar",
  "fd.type",
  "fd.connected",
  "fd.name_changed",
  "fd.l4proto",
  // Of audit events: short texts of few values, which nearly every rule asks for.
  "ka.auth.decision",
  "ka.response.code",
  "ka.stage",
  "ka.target.namespace",
  "ka.target.resource",
  "ka.target.subresource",
  "ka.user.name",
  "ka.verb",
  "jevt.value[/stage]",
]);

type Kind = "own" | "lineage" | "name" | "event";

export interface OperandInfo {
  readonly classes: OperandClasses;
  readonly kind: Kind;
  /** What asking costs, roughly: 1 is a look at a table. */
  readonly cost: number;
}

const ORDER: Readonly<Record<Kind, number>> = { own: 0, lineage: 1, name: 2, event: 3 };

export class OperandTable {
  readonly operands: readonly OperandInfo[];
  readonly threads: ThreadClasses;
  /** By atom id: the operand that decides it; -1 where none does. */
  readonly #operandOf: Int32Array;
  readonly #threadCount: number;
  /** By operand: whether it reads differently where the caller's file is the program. */
  readonly #seesProgram: readonly boolean[];
  readonly #names: readonly NameClasses[];

  constructor(atoms: readonly Atom[]) {
    const groups = new Map<string, { kind: Kind; atoms: Atom[] }>();
    for (const atom of atoms) {
      const kind = kindOf(atom);
      if (kind === undefined) continue;
      // An atom that compares two fields is a group of its own.
      const key = atom.right === undefined ? atom.left.text : `${atom.text} `;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { kind, atoms: [atom] });
      else group.atoms.push(atom);
    }
    const ordered = [...groups.values()].sort((one, other) => ORDER[one.kind] - ORDER[other.kind]);
    this.operands = ordered.map(({ kind, atoms }) => ({
      classes: new OperandClasses(atoms),
      kind,
      cost: costOf(kind, atoms[0]!),
    }));
    this.#operandOf = new Int32Array(1 + atoms.reduce((most, { id }) => Math.max(most, id), 0))
      .fill(-1);
    for (const [operand, group] of ordered.entries()) {
      for (const atom of group.atoms) this.#operandOf[atom.id] = operand;
    }
    const ofKind = (...kinds: Kind[]) => ordered.filter(({ kind }) => kinds.includes(kind)).length;
    this.#threadCount = ofKind("own", "lineage");
    this.#seesProgram = ordered.map(({ atoms }) => seesProgram(atoms[0]!));
    this.threads = new ThreadClasses(
      this.operands.slice(0, this.#threadCount).map(({ classes }) => classes),
      ofKind("own"),
    );
    this.#names = this.operands
      .slice(this.#threadCount, this.#threadCount + ofKind("name"))
      .map(({ classes }) => new NameClasses(classes));
  }

  /** The operand that decides an atom; -1 where none does. */
  operandOf(atom: Atom): number {
    return this.#operandOf[atom.id]!;
  }

  /** The class of an operand's value; `place` is that of the context's thread. */
  classOf(operand: number, place: Place | undefined, context: Context): number {
    if (operand < this.#threadCount) {
      // What is kept of a thread is its own program's.
      const isKept = showsOwnProgram(context.view) || !this.#seesProgram[operand];
      return this.threads.classOf(operand, isKept ? place : undefined, context);
    }
    const name = this.#names[operand - this.#threadCount];
    return name === undefined
      ? this.operands[operand]!.classes.classOf(context)
      : name.classOf(context);
  }

  /** Ids may stand for other strings from now on; classes stay. */
  forgetIds(): void {
    for (const { classes } of this.operands) classes.forgetIds();
    for (const name of this.#names) name.forgetIds();
  }
}

function kindOf({ domain, left, right }: Atom): Kind | undefined {
  const fields = [...left.fields, ...right?.fields ?? []].map(({ field }) => field.name);
  switch (domain) {
    case "name":
      return "name";
    case "thread":
      return fields.every((field) => OWN_FIELDS.has(field)) ? "own" : "lineage";
    case "event":
      return right === undefined && left.bound !== undefined && CHEAP_FIELDS.has(left.text)
        ? "event"
        : undefined;
  }
}

function seesProgram({ left, right }: Atom): boolean {
  return [...left.fields, ...right?.fields ?? []]
    .some((bound) => (seenBy(bound) & Differs.Program) !== 0);
}

function costOf(kind: Kind, { left }: Atom): number {
  if (kind === "name") return 1;
  if (kind === "event") return 2;
  const plain = left.bound?.extractId !== undefined && !left.subject.anyOf;
  const built = plain || left.subject.type !== "CHARBUF" ? 1 : 8;
  return kind === "own" ? built : 2 * built;
}
