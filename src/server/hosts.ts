// Whose name a request may carry. A page in a browser on this host can make its own name point to
// this host and then ask as if it were asked for (DNS rebinding); only its name gives it away. So
// loopback names are answered, the address that was listened on, and names that were configured.

/** `host:port` or `[address]:port` as headers have it → the name alone, in lower case. */
export function hostName(text: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d*)?$/.exec(text);
  const name = bracketed?.[1] ?? text.replace(/:\d*$/, "");
  return name.toLowerCase().replace(/\.$/, "");
}

/** Of an address as text: ::1, or one of 127.0.0.0/8. */
export function isLoopback(address: string): boolean {
  return address === "::1" || /^127(\.\d{1,3}){3}$/.test(address);
}

export interface RequestNames {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** The address that the client reached. */
  readonly localAddress: string;
}

/** The name that is not to be answered; undefined where all is well. */
export function strangeName(
  { host, origin, localAddress }: RequestNames,
  allowed: readonly string[],
): string | undefined {
  const isKnown = (name: string) =>
    name === "localhost" || isLoopback(name) || name === localAddress.toLowerCase() ||
    allowed.includes(name);
  if (host !== undefined && !isKnown(hostName(host))) return host;
  if (origin === undefined) return undefined;
  const named = /^https?:\/\/([^/]+)$/.exec(origin);
  return named !== null && isKnown(hostName(named[1]!)) ? undefined : origin;
}
