// Which hosts a bundle is for. A host has one place among all, from 0 to 100, by the sum of the
// bundle's name and its own: a share of 33 takes the places below 33, so that it is the same third
// each time, and a share that grows keeps the hosts that it had. Nobody counts hosts.
import { createHash } from "node:crypto";
import type { Contents } from "./contents.ts";

export interface Host {
  readonly name: string;
  readonly labels: readonly string[];
}

/** Why a host does not take it; undefined where it does. */
export function outsideOf(contents: Contents, host: Host): string | undefined {
  const { name, share, hosts, labels } = contents;
  if (hosts.length > 0 && !hosts.some((pattern) => matches(pattern, host.name))) {
    const some = [...hosts.slice(0, 3), ...(hosts.length > 3 ? ["…"] : [])];
    return `it is for other hosts (${some.join(", ")})`;
  }
  const missing = labels.find((label) => !host.labels.includes(label));
  if (missing !== undefined) return `it is for hosts with the label ${missing}`;
  const place = placeOf(name, host.name);
  if (place < share) return undefined;
  return `it is for ${share} % of the hosts, and this one's place is ${place.toFixed(1)}`;
}

/** From 0, never 100: of the first four bytes of SHA-256 over name, zero byte and host. */
export function placeOf(name: string, host: string): number {
  const sum = createHash("sha256").update(`${name}\0${host}`).digest();
  return sum.readUInt32BE(0) / 2 ** 32 * 100;
}

/** `*`: any number of characters, `?`: one. Without going back: a pattern cannot make it slow. */
function matches(pattern: string, name: string): boolean {
  const [want, have] = [pattern.toLowerCase(), name.toLowerCase()];
  let [at, from, star, mark] = [0, 0, -1, 0];
  while (from < have.length) {
    if (at < want.length && want[at] === "*") {
      star = at++;
      mark = from;
    } else if (at < want.length && (want[at] === "?" || want[at] === have[from])) {
      at++;
      from++;
    } else if (star >= 0) {
      at = star + 1;
      from = ++mark;
    } else return false;
  }
  while (want[at] === "*") at++;
  return at === want.length;
}
