// Residual conditions judged: walked while they are new, by a generated function once they have
// proven to be asked often.
import type { Context } from "../../state/contract/context.ts";
import { AtomFunctions } from "./atom_functions.ts";
import type { Node } from "../check/condition.ts";
import { generate, type Judge } from "./generate.ts";
import { interpretWith } from "./interpret.ts";

/** How often a condition is walked before a function is made for it. */
const WALKS = 16;
/** Generated functions at the most; beyond, conditions are walked. */
const GENERATED_MAX = 20_000;

export class Judges {
  generated = 0;
  readonly #functions = new AtomFunctions();
  readonly #judges: (Judge | undefined)[] = [];
  readonly #walks: number[] = [];

  /** Another event: its values are read anew. */
  begin(): void {
    this.#functions.begin();
  }

  /** Ids may stand for other strings from now on. */
  forgetIds(): void {
    this.#functions.forgetIds();
  }

  /** Whether a node of the matcher's table holds for the event. */
  holds(node: Node, context: Context): boolean {
    const judge = this.#judges[node.id];
    return judge !== undefined ? judge(context) : this.#new(node, context);
  }

  #new(node: Node, context: Context): boolean {
    const walks = this.#walks[node.id] = (this.#walks[node.id] ?? 0) + 1;
    if (node.kind === "atom") {
      this.#judges[node.id] = this.#functions.of(node.atom);
    } else if (walks >= WALKS && this.generated < GENERATED_MAX) {
      this.#judges[node.id] = generate(node, (atom) => this.#functions.of(atom));
      this.generated++;
    }
    return interpretWith(node, (atom) => this.#functions.of(atom)(context));
  }
}
