// What a plugin in TypeScript is started with: the text of `init_config` comes in, the value that
// its module gets goes out.

/** Of a map in the configuration it is JSON; a text that is none stays a text. */
export function configOf(text: string): unknown {
  if (text === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
