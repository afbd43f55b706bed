// By what two loads of configuration and rules are told apart: both come in, one sum goes out.
import { createHash } from "node:crypto";
import type { Config } from "../../config/schema.ts";
import type { RulesStart } from "../../engine/contract/messages.ts";
import { bytesOf } from "../../words/raw_text.ts";

export function sumOf(config: Config, { files }: RulesStart): string {
  const hash = createHash("sha256");
  hash.update(JSON.stringify(config));
  for (const { name, text } of files) {
    hash.update(`\0${name}\0`);
    hash.update(bytesOf(text));
  }
  return hash.digest("hex");
}
