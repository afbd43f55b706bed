// `fd.l4proto` of calls that lead a socket somewhere, as a test of what the sieve over captures
// knows of the socket: the event that made it. An atom comes in, and whether it is asked for or its
// contrary; a formula comes out, which holds at least wherever that does.
import { codeOf } from "../events/table.ts";
import { PROTOCOLS } from "../fields/text/fd_types.ts";
import type { Atom } from "../rules/check/condition.ts";
import { constant, type Formula, number, type NumberTest, or } from "./formula.ts";

const FIELD = "fd.l4proto";
/** Those that the walk knows it of (bindings-rs/src/sieve/protocol.rs). */
const CODES: ReadonlySet<number> = new Set([
  codeOf("SOCKET_CONNECT_X"),
  codeOf("SOCKET_ACCEPT_5_X"),
  codeOf("SOCKET_ACCEPT4_6_X"),
]);
/** It stands in no parameter. */
const NO_PARAM = 255;
/** What the field shows of a socket without a role, of one of another kind, and of none at all. */
const SHOWN_OTHERWISE = ["<NA>", undefined] as const;

/** Undefined: the atom is none on the protocol, or the event tells of no socket. */
export function protocolFormula(atom: Atom, negated: boolean, code: number): Formula | undefined {
  const { left, right, test } = atom;
  if (right !== undefined || left.bound === undefined || left.text !== FIELD) return undefined;
  if (!CODES.has(code)) return undefined;
  const holds = (shown: string | undefined) => test(shown, undefined) !== negated;
  if (SHOWN_OTHERWISE.some(holds)) return constant(true);
  const shown = Object.entries(PROTOCOLS).filter(([, name]) => holds(name));
  return or(
    shown.map(([value]) =>
      number({ kind: "equal", param: NO_PARAM, form: "protocol", value: BigInt(value) })
    ),
  );
}

/** The test of a protocol in words; undefined: it is another one. */
export function protocolText({ form, value }: NumberTest): string | undefined {
  return form === "protocol" ? `protocol = ${PROTOCOLS[Number(value)]}` : undefined;
}
