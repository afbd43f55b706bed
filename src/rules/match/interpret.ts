// Conditions judged by walking their tree: the reference that the generated functions are held
// against, and what judges hand-written events.
import type { Atom, Node, Read } from "../check/condition.ts";

/** Whether the condition holds, given how fields are read. */
export function interpret(node: Node, read: Read): boolean {
  return interpretWith(node, (atom) => interpretAtom(atom, read));
}

export function interpretAtom(atom: Atom, read: Read): boolean {
  return atom.test(atom.left.read(read), atom.right?.read(read));
}

/**
 * One step of a condition whose atoms may not be known yet (undefined): the answers of its parts,
 * in order, until one decides; undefined where what is left is not known.
 */
export function openAnswer(
  node: Node,
  ofAtom: (atom: Atom) => boolean | undefined,
  ofPart: (part: Node) => boolean | undefined,
): boolean | undefined {
  switch (node.kind) {
    case "true":
      return true;
    case "false":
      return false;
    case "atom":
      return ofAtom(node.atom);
    case "not": {
      const answer = ofPart(node.child);
      return answer === undefined ? undefined : !answer;
    }
    case "and":
    case "or": {
      const decisive = node.kind === "or";
      let isOpen = false;
      for (const child of node.children) {
        const answer = ofPart(child);
        if (answer === decisive) return decisive;
        if (answer === undefined) isOpen = true;
      }
      return isOpen ? undefined : !decisive;
    }
  }
}

/** As `interpret`, with the atoms' answers given. */
export function interpretWith(node: Node, answer: (atom: Atom) => boolean): boolean {
  switch (node.kind) {
    case "true":
      return true;
    case "false":
      return false;
    case "atom":
      return answer(node.atom);
    case "not":
      return !interpretWith(node.child, answer);
    case "and":
      return node.children.every((child) => interpretWith(child, answer));
    case "or":
      return node.children.some((child) => interpretWith(child, answer));
  }
}
