// What a host has by itself and what bundles bring → what is in force.
import type { BundleKind, Contents } from "./contents.ts";

/** Of each kind, where there is one. */
export type Bundles = { readonly [Kind in BundleKind]?: Contents };

interface NamedText {
  readonly name: string;
  readonly text: string;
}

/** In order: what comes later can change what came before, so the bundle has the last word. */
export function withBundle<File extends NamedText>(
  own: readonly File[],
  bundle: Pick<Contents, "name" | "serial" | "combine" | "files"> | undefined,
): (File | NamedText)[] {
  if (bundle === undefined || bundle.files.length === 0) return [...own];
  const files = bundle.files.map((file) => namedFile(bundle, file));
  return bundle.combine === "instead" ? files : [...own, ...files];
}

/** The text of a bundle of configuration; undefined where it has none. */
export function settingsOf(bundle: Contents | undefined): NamedText | undefined {
  const [file] = bundle?.files ?? [];
  return file && namedFile(bundle!, file);
}

/** What people are told where it is from. */
function namedFile({ name, serial }: Pick<Contents, "name" | "serial">, file: NamedText) {
  return { name: `rollout ${name} ${serial}: ${file.name}`, text: file.text };
}
