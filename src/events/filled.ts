// Which events the probe fills. The list is made from the probe's own (probe-rs/src/fillers.rs);
// filled_test.ts holds them against each other and, with UPDATE=1, writes it anew.
import source from "../../probe-rs/fillers.json" with { type: "json" };
import { EVENTS, SYSCALLS } from "./table.ts";

const FILLED: ReadonlySet<string> = new Set(source.filled);

/**
 * Codes of the events of system calls that the probe does not fill yet: live, the generic event
 * comes in their place, which has the call's name and nothing else.
 */
export const UNFILLED: ReadonlySet<number> = new Set(
  SYSCALLS.flatMap(({ exit }) => exit === undefined || FILLED.has(EVENTS[exit]!.id) ? [] : [exit]),
);
