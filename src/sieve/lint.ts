// Rules that open the sieve for calls that come in great numbers: their events are judged in full
// although hardly any matches. For `saker rules lint`.
import { codeOf, EVENTS } from "../events/table.ts";
import { wantedCodes } from "../rules/match/compile.ts";
import type { CheckedRule } from "../rules/check/resolve.ts";
import { opens } from "./derive.ts";
import { EndSets } from "./ends.ts";
import { seesAllEvents } from "./sieve.ts";

export interface SieveFinding {
  readonly rule: CheckedRule;
  readonly reason: string;
}

/** Calls of which a busy machine makes thousands a second. */
const FREQUENT = [
  "SYSCALL_OPENAT_2_X",
  "SYSCALL_OPEN_X",
  "SYSCALL_CLOSE_X",
  "SYSCALL_FCNTL_X",
  "SYSCALL_READ_X",
  "SYSCALL_WRITE_X",
].map(codeOf);

/** Calls of which a server makes as many, and whose ends decide over captures. */
const OF_ENDS = ["SOCKET_CONNECT_X", "SOCKET_ACCEPT_5_X", "SOCKET_ACCEPT4_6_X"].map(codeOf);

/** One finding for each rule that keeps all events of such calls, or every event of any kind. */
export function sieveFindings(rules: readonly CheckedRule[]): SieveFinding[] {
  return rules.flatMap((rule) => {
    if (rule.source !== "syscall") return [];
    const field = seesAllEvents(rule);
    if (field !== undefined) {
      return [{ rule, reason: `${field} depends on every event: with it none is passed over` }];
    }
    const wanted = new Set(wantedCodes(rule, "syscall"));
    const names = (codes: readonly number[]) => codes.map((code) => EVENTS[code]!.name).join(", ");
    const opened = FREQUENT.filter((code) => wanted.has(code) && opens(rule, code));
    if (opened.length > 0) {
      const reason = `every ${names(opened)} is judged in full: ask for a name, a flag or a ` +
        "result that must hold";
      return [{ rule, reason }];
    }
    const known = { protocols: true, ends: new EndSets() };
    const led = OF_ENDS.filter((code) => wanted.has(code) && opens(rule, code, known));
    if (led.length === 0) return [];
    const reason = `every ${names(led)} is judged in full, in captures too: ask for a kind of ` +
      "socket, an address or a port that must hold";
    return [{ rule, reason }];
  });
}
