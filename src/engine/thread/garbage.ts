// What the start left in a thread's heap is collected at once: an idle thread would never do it,
// and the process would keep the memory for as long as it watches.

/** Collects all garbage of this thread; nothing where the runtime was started without `gc`. */
export function collectGarbage(): void {
  const { gc } = globalThis as { gc?: (options: Readonly<Record<string, string>>) => void };
  gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
}
