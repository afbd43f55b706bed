// Plugins in TypeScript that are part of saker (plugins/ of the repository): their text, as it is
// embedded. They run as everybody's do.

/** What stands before the name of one, where others have a path. */
const SHIPPED = "saker:";

/** The directory's own file of that name; undefined where it is none of saker's. */
export function shippedText(path: string): string | undefined {
  if (!path.startsWith(SHIPPED)) return undefined;
  const name = path.slice(SHIPPED.length);
  const url = new URL(`../../../plugins/${name}`, import.meta.url).href;
  try {
    // As the build embeds it: a module by its name would be looked into.
    return Deno.readTextFileSync(new URL(`${url}.text`));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return Deno.readTextFileSync(new URL(url));
  }
}

/** What authors of plugins write against; the API of the module "saker/plugin" at run time
 * (author_api.ts) is what it says. */
export function authorTypes(): string {
  return shippedText(`${SHIPPED}saker-plugin.d.ts`)!;
}
