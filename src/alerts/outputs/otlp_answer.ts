// What becomes of alerts by what a server of OTLP answers: numbers of HTTP and of gRPC come in, a
// fate goes out. As the specification has it, but that what is about us and not about the alerts
// (who we are, where we ask) is tried again: it heals, and no alert is lost meanwhile.
import { visibleLine } from "../../words/visible.ts";
import type { OtlpAnswer } from "./otlp.ts";
import type { PartialSuccess } from "./otlp_protobuf.ts";

type Fate = OtlpAnswer["fate"];

/** Who may send, where to, how often; then those that the specification names. */
const HTTP_AGAIN = [401, 402, 403, 404, 407, 408, 421, 425, 429, 502, 503, 504];
export const HTTP_UNAUTHORIZED = [401, 403];

export function fateOfHttp(status: number): Fate {
  if (status >= 200 && status < 300) return "taken";
  return status < 400 || HTTP_AGAIN.includes(status) ? "again" : "refused";
}

export const GRPC_OK = 0;
const PERMISSION_DENIED = 7;
export const RESOURCE_EXHAUSTED = 8;
export const UNIMPLEMENTED = 12;
export const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;
export const GRPC_UNAUTHORIZED = [PERMISSION_DENIED, UNAUTHENTICATED];

/** CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS; and where the
 * service is not there. */
const GRPC_AGAIN = [1, 4, 10, 11, UNAVAILABLE, 15, UNIMPLEMENTED, ...GRPC_UNAUTHORIZED];

const NAMES = [
  ...["OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND"],
  ...["ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION"],
  ...["ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"],
  "UNAUTHENTICATED",
];

export function grpcName(code: number): string {
  return NAMES[code] ?? String(code);
}

/** Where the server says when to come back, it is not too much for good. */
export function fateOfGrpc(code: number, hasRetryInfo: boolean): Fate {
  if (code === GRPC_OK) return "taken";
  if (code === RESOURCE_EXHAUSTED && hasRetryInfo) return "again";
  return GRPC_AGAIN.includes(code) ? "again" : "refused";
}

export function taken({ rejected, why }: PartialSuccess): OtlpAnswer {
  return { fate: "taken", rejected, why: shown(why), againMs: 0 };
}

/** `says` is the server's own word. */
export function notTaken(fate: Fate, what: string, says: string, againMs = 0): OtlpAnswer {
  const told = shown(says);
  const why = `the server answers ${what}${told === "" ? "" : `: ${told}`}`;
  return { fate, rejected: 0, why, againMs: fate === "again" ? againMs : 0 };
}

/** Characters of what a server says. */
const SAID_MAX = 200;

function shown(text: string): string {
  const line = visibleLine(text.trim().split(/[\r\n]/, 1)[0]!);
  return line.length > SAID_MAX ? `${line.slice(0, SAID_MAX)}…` : line;
}
