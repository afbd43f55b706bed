// Variables of the environment: a name comes in, a text goes out. Their values are bytes that
// anybody may have chosen, and the runtime tells of those that are no UTF-8 in words of its own.

/** Undefined where it is not set; throws one line where it is no text. */
export function variable(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch {
    throw new Error(`The environment variable ${name} is no UTF-8: expected text`);
  }
}
