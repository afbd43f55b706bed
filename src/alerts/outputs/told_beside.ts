// What is told beside an alert where a protocol has headers, so that who reads may choose before
// reading the alert itself: a message → its host, an id among those of all hosts, and headers.
import { createHash } from "node:crypto";
import { hostToken } from "../../nats/names.ts";
import { PRIORITY_NAMES } from "../../rules/priority.ts";
import type { Message } from "../format/message.ts";

export interface ToldBeside {
  /** In characters that go anywhere. */
  readonly host: string;
  /** `HOST.ID.SUM`: of two messages that are the same to the last byte, and of no others. */
  readonly id: string;
  readonly payload: Uint8Array;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Characters of a rule's name in a header. */
const RULE_MAX = 128;
const SUM_DIGITS = 16;

const encoder = new TextEncoder();

export function toldBeside({ text, priority, hostname }: Message): ToldBeside {
  // What lies in the spool has nothing but the alert's JSON.
  const { id, rule } = JSON.parse(text) as { id?: unknown; rule?: unknown };
  const name = typeof rule === "string" ? rule : "";
  const payload = encoder.encode(text);
  return {
    host: hostToken(hostname),
    id: idAmongHosts(hostname, id, payload),
    payload,
    headers: [
      ["Saker-Priority", PRIORITY_NAMES[priority]!],
      ["Saker-Rule", encodeURIComponent(name.slice(0, RULE_MAX).toWellFormed())],
    ],
  };
}

/**
 * The one id that an alert has wherever it goes (Nats-Msg-Id, Saker-Id, log.record.uid), by which
 * who receives drops doubles. An alert's own `id` is its time and its number in the run: two of
 * different sources may have the same, or two of saker's own, which have no number, within a
 * millisecond; or a replay with other rules; or a host whose clock was put back.
 */
export function idAmongHosts(hostname: string, id: unknown, text: Uint8Array | string): string {
  const sum = createHash("sha256").update(text).digest("hex").slice(0, SUM_DIGITS);
  return `${hostToken(hostname)}.${id}.${sum}`;
}
