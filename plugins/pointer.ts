// JSON pointers (RFC 6901) as fields: a value of an event's JSON, by its place in it.

/** `/a/b~1c/0`, or the same without the first slash; "" is all of it. */
export function valueAt(json: unknown, pointer: string): unknown {
  if (pointer === "" || pointer === "/") return json;
  let at = json;
  for (const part of (pointer.startsWith("/") ? pointer.slice(1) : pointer).split("/")) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<string, unknown>)[key];
  }
  return at;
}

/** As rules compare it: texts as they are, of all else the JSON; null is no value. */
export function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A whole number from 0 on, or a text of one. */
export function numberOf(value: unknown): number | bigint | undefined {
  if (typeof value === "number") {
    return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  }
  return typeof value === "string" && /^\d{1,19}$/.test(value) ? BigInt(value) : undefined;
}
