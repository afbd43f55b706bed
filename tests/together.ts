// Tests that wait rather than work, run at the same time: steps of one test.

export interface Case {
  readonly name: string;
  readonly fn: () => Promise<void>;
}

/** What one of them opens is looked after when all have ended: no step can tell it is its own. */
const LOOSE = { sanitizeExit: false, sanitizeOps: false, sanitizeResources: false };

/** One test of cases that have nothing in common: each has a place, a saker, a port of its own. */
export function together(name: string, ignore: boolean, cases: readonly Case[]): void {
  Deno.test({
    name,
    ignore,
    async fn(t) {
      await Promise.all(cases.map((one) => t.step({ ...one, ...LOOSE })));
    },
  });
}
