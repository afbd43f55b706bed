import type { YamlNode } from "./document.ts";
export function schemaWarnings(_roots: readonly YamlNode[]): string[] {
  return [];
}
