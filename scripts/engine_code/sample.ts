// Writes the capture that maker.js replays: processes that begin, execute, open, copy, close and
// end, and what sockets do. What the engine does with it is compiled when a start needs it.
import { Chance } from "../../src/rules/check/condition_fixture.ts";
import { historyByChance } from "../../tests/lives_captures.ts";

const STEPS = 8_000;

Deno.writeFileSync(Deno.args[0]!, historyByChance(new Chance(1), STEPS, false));
