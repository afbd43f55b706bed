// proc.hash.sha256: what is known of the program's content. The sums are computed elsewhere, off
// the hot path; here they are only looked up.
import type { Context } from "../../state/contract/context.ts";
import type { Field } from "../row/field.ts";
import { field } from "../row/row.ts";

export function hashField(): Field {
  return field("process", {
    name: "proc.hash.sha256",
    type: "CHARBUF",
    description:
      "SHA-256 of the program's file, in hexadecimal; missing until it is computed, shortly " +
      "after the first execution, and in captures. saker's own.",
    extract: (context: Context) => {
      const { thread, hashes } = context;
      return thread && hashes?.sha256(thread);
    },
  });
}
