// What saker may do shrinks once it watches: first the programs that later rules may want are
// loaded, a few a second, then all capabilities that the watch does not need are given up, in every
// thread and for good. In: the driver, and what is kept. Out: a step to be taken once a second.
import type { Driver } from "../../../bindings-rs/index.d.ts";
import type { KeptRights } from "../contract/messages.ts";

export interface ShrinkParts {
  readonly driver: Pick<Driver, "loadSpare">;
  readonly keepCapabilities: (kept: bigint) => number;
  readonly rights: KeptRights;
  readonly clock: () => number;
  /** A line for the person who runs saker. */
  readonly told: (line: string) => void;
}

export function shrinking(parts: ShrinkParts): () => void {
  const { driver, keepCapabilities, rights, clock, told } = parts;
  const beginMs = clock() + rights.afterSeconds * 1000;
  let isDone = false;
  return () => {
    if (isDone || clock() < beginMs) return;
    try {
      if (!driver.loadSpare()) return;
      isDone = true;
      keepCapabilities(rights.kept);
      told(`Capabilities were given up; ${rights.names.join(", ")} are kept`);
    } catch (error) {
      isDone = true;
      told(`Warning: engine.drop_privileges_after: ${(error as Error).message}`);
    }
  };
}
