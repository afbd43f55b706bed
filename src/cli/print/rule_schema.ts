// `--rule-schema`: the JSON schema of rules files.
import { RULE_SCHEMA } from "../../rules/read/schema.ts";

export function printRuleSchema(write: (text: string) => void): void {
  write(JSON.stringify(RULE_SCHEMA, undefined, 2));
}
