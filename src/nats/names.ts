// The names that hosts have in NATS: any host's name → one token of a subject, which is a key of a
// bucket too, and back.

const encoder = new TextEncoder();

/** Each byte that is none of A-Z, a-z, 0-9, _ and - becomes `=XX`: `web.1` is `web=2E1`. */
export function hostToken(host: string): string {
  let token = "";
  for (const byte of encoder.encode(host)) {
    const letter = String.fromCharCode(byte);
    token += /[A-Za-z0-9_-]/.test(letter)
      ? letter
      : `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  // A subject has no empty token.
  return token === "" ? "=" : token;
}

/** The host's name; undefined where the token is of something else. */
export function hostOfToken(token: string): string | undefined {
  if (token === "=") return "";
  if (!/^(?:[A-Za-z0-9_-]|=[0-9A-F]{2})+$/.test(token)) return undefined;
  const bytes = token.match(/=..|./g)!.map((part) =>
    part.length === 3 ? parseInt(part.slice(1), 16) : part.charCodeAt(0)
  );
  return new TextDecoder().decode(new Uint8Array(bytes));
}
