// Macros put in the place of their names, as trees. The trees are shared, not copied; their sizes
// as if they were copied are bounded.
import type { MacroInfo } from "./merge.ts";
import type { Expr } from "../parse/syntax.ts";

/** Parts of a condition with its macros in it. */
export const PARTS_MAX = 500_000;
/** Levels of a condition with its macros in it. */
export const LEVELS_MAX = 1500;

export interface MacroError {
  readonly message: string;
  readonly at: number;
  readonly hint?: "macro";
  readonly name: string;
}

export type Substituted = { readonly tree: Expr } | {
  readonly errors: readonly MacroError[];
  /** With the names of macros that could not be put in; undefined where it is too large. */
  readonly partial: Expr | undefined;
};

interface Measure {
  readonly parts: number;
  readonly levels: number;
}

export class Macros {
  /** Names of macros that something refers to. */
  readonly used = new Set<string>();
  /** The macro whose text a tree's offsets count in; only for the roots of macros. */
  readonly origins = new Map<Expr, MacroInfo>();
  readonly #infos: ReadonlyMap<string, MacroInfo>;
  readonly #parsed: ReadonlyMap<string, Expr>;
  readonly #final = new Map<string, Substituted>();
  readonly #measures = new Map<Expr, Measure>();

  /** `parsed` holds the trees of the macros that could be parsed. */
  constructor(infos: ReadonlyMap<string, MacroInfo>, parsed: ReadonlyMap<string, Expr>) {
    this.#infos = infos;
    this.#parsed = parsed;
  }

  /** The macro's tree with the macros in it that it sees; undefined if it was not parsed. */
  resolveMacro(name: string): Substituted | undefined {
    const known = this.#final.get(name);
    if (known !== undefined) return known;
    const tree = this.#parsed.get(name);
    const info = this.#infos.get(name);
    if (tree === undefined || info === undefined) return undefined;
    const result = this.#substituteAll(tree, { info, path: [] });
    this.#final.set(name, result);
    if ("tree" in result) this.origins.set(result.tree, info);
    return result;
  }

  /** A rule's tree with all macros in it. */
  resolve(tree: Expr): Substituted {
    return this.#substituteAll(tree, { info: undefined, path: [] });
  }

  #substituteAll(tree: Expr, scope: Scope): Substituted {
    const errors: MacroError[] = [];
    const result = this.#substitute(tree, scope, errors);
    const { parts, levels } = this.#measure(result);
    const isSmall = parts <= PARTS_MAX && levels <= LEVELS_MAX;
    if (errors.length > 0) return { errors, partial: isSmall ? result : undefined };
    if (isSmall) return { tree: result };
    const message = parts > PARTS_MAX
      ? `condition is too large: ${parts} parts with its macros, at most ${PARTS_MAX}`
      : `condition is nested too deeply: ${levels} levels, at most ${LEVELS_MAX}`;
    return { errors: [{ message, at: 0, name: "" }], partial: undefined };
  }

  #substitute(tree: Expr, scope: Scope, errors: MacroError[]): Expr {
    switch (tree.kind) {
      case "check":
        return tree;
      case "not": {
        const child = this.#substitute(tree.child, scope, errors);
        return child === tree.child ? tree : { ...tree, child };
      }
      case "and":
      case "or": {
        const children = tree.children.map((child) => this.#substitute(child, scope, errors));
        return children.every((child, index) => child === tree.children[index])
          ? tree
          : { ...tree, children };
      }
      case "macro":
        return this.#macro(tree.name, tree.at, scope, errors) ?? tree;
    }
  }

  #macro(name: string, at: number, scope: Scope, errors: MacroError[]): Expr | undefined {
    const info = this.#infos.get(name);
    const visible = info !== undefined &&
      (scope.info === undefined || info.index < scope.info.visibility);
    if (!visible) {
      errors.push({
        message: `Undefined macro '${name}' used in filter.`,
        at,
        hint: "macro",
        name,
      });
      return undefined;
    }
    if (scope.path.includes(name) || scope.info?.name === name) {
      errors.push({ message: `reference loop in macro '${name}'`, at, name });
      return undefined;
    }
    this.used.add(name);
    // What comes before in the order of definition was resolved with what it sees itself; what
    // comes later is seen as whoever names it sees it.
    const earlier = scope.info === undefined || info.index < scope.info.index;
    if (earlier) {
      const resolved = this.resolveMacro(name);
      return resolved !== undefined && "tree" in resolved
        ? resolved.tree
        : this.#failed(at, name, errors);
    }
    const parsed = this.#parsed.get(name);
    if (parsed === undefined) return this.#failed(at, name, errors);
    const path = [...scope.path, name];
    if (path.length > LEVELS_MAX) {
      errors.push({ message: `macros are nested too deeply at '${name}'`, at, name });
      return undefined;
    }
    const tree = this.#substitute(parsed, { info: scope.info, path }, errors);
    this.origins.set(tree, info);
    return tree;
  }

  /** The macro itself is wrong, which was told where it stands: no message, but no tree. */
  #failed(at: number, name: string, errors: MacroError[]): undefined {
    errors.push({ message: "", at, name });
    return undefined;
  }

  #measure(tree: Expr): Measure {
    const known = this.#measures.get(tree);
    if (known !== undefined) return known;
    const children = tree.kind === "not"
      ? [tree.child]
      : tree.kind === "and" || tree.kind === "or"
      ? tree.children
      : [];
    let parts = 1;
    let levels = 0;
    for (const child of children) {
      const measure = this.#measure(child);
      parts += measure.parts;
      levels = Math.max(levels, measure.levels);
    }
    const measure = { parts, levels: levels + 1 };
    this.#measures.set(tree, measure);
    return measure;
  }
}

interface Scope {
  /** The macro that is resolved; undefined for a rule. */
  readonly info: MacroInfo | undefined;
  /** Names of the macros that are being put in. */
  readonly path: readonly string[];
}
