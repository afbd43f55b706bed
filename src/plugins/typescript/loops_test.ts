// Loops of plugins ask in every turn whether they are to go on; nothing else of the text changes.
import { strictEqual } from "node:assert";
import { endable } from "./loops.ts";

const CASES = {
  "for (;;) x();": "for (;;)if(A()) x();",
  "for (let i = (1); i < f(2); i++) { g(); }": "for (let i = (1); i < f(2); i++)if(A()) { g(); }",
  "while (x) y();": "while (A(),x) y();",
  "do y(); while (x)": "do y(); while (A(),x)",
  "for await (const a of b) c();": "for await (const a of b)if(A()) c();",
  "for (const a of b) for (const c in d) e();":
    "for (const a of b)if(A()) for (const c in d)if(A()) e();",
  'a.for(b); a.while(c); ({ for: 1, while() {} }); "for (;;)"; /while (x)/; // for (;;)':
    'a.for(b); a.while(c); ({ for: 1, while() {} }); "for (;;)"; /while (x)/; // for (;;)',
  "`for (;;) ${() => { while (x); }}`;": "`for (;;) ${() => { while (A(),x); }}`;",
  "class A { for() { for (;;); } while() {} }": "class A { for() { for (;;)if(A()); } while() {} }",
};

for (const [text, wanted] of Object.entries(CASES)) {
  Deno.test(`every turn of a loop asks: ${text}`, async () => {
    const { parse } = (await import("sucrase/dist/parser/index.js")).default;
    const { TokenType } = (await import("sucrase/dist/parser/tokenizer/types.js")).default;
    const { tokens } = parse(text, false, false, false);
    strictEqual(endable(text, "A", tokens, TokenType), wanted);
  });
}
