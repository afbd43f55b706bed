// The path prefixes of all `pmatch` checks of one field, by component: one walk down a path finds
// every check that has a prefix of it. Patterns among the components are tested one by one.

interface PathNode {
  /** Checks that have this path. */
  readonly ids: number[];
  readonly children: Map<string, PathNode>;
}

export class PathIndex {
  readonly #root: PathNode = { ids: [], children: new Map() };
  #isEmpty = true;

  /** Returns false for paths with patterns, which are not taken. */
  add(paths: readonly string[], id: number): boolean {
    if (paths.some((path) => /[?*[]/.test(path))) return false;
    for (const path of paths) {
      let node = this.#root;
      for (const component of path.split("/")) {
        if (component === "") continue;
        let child = node.children.get(component);
        if (child === undefined) {
          node.children.set(component, child = { ids: [], children: new Map() });
        }
        node = child;
      }
      node.ids.push(id);
    }
    this.#isEmpty = false;
    return true;
  }

  /** Adds the ids of the checks that have a prefix of the path. */
  find(path: string, found: Set<number>): void {
    if (this.#isEmpty) return;
    let node: PathNode | undefined = this.#root;
    for (const id of node.ids) found.add(id);
    for (let at = 0; at < path.length && node !== undefined;) {
      const slash = path.indexOf("/", at);
      const end = slash < 0 ? path.length : slash;
      if (end > at) {
        node = node.children.get(path.slice(at, end));
        for (const id of node?.ids ?? []) found.add(id);
      }
      at = end + 1;
    }
  }
}
