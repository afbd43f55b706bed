// Arguments that are no UTF-8: what the kernel has and what the runtime was given, put together.
import { deepStrictEqual, strictEqual } from "node:assert";
import { givenArguments } from "./raw_arguments.ts";

/** Characters up to U+00FF as bytes. */
function line(...given: string[]): Uint8Array {
  const text = given.map((one) => `${one}\0`).join("");
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

Deno.test("an argument of odd bytes keeps them, a file that is there its descriptor", () => {
  const { arguments: found, nameOf } = givenArguments(
    ["-o", "a.b=/proc/self/fd/7", "/x\\xff", "", "/proc/self/fd/9", "\\xc3"],
    line("saker", "-o", "a.b=/there\xff", "/x\xff", "", "\xfe", "\xc3"),
  );
  deepStrictEqual(found, [
    ...["-o", "a.b=/proc/self/fd/7", "/x\udcff", "", "/proc/self/fd/9", "\udcc3"],
  ]);
  strictEqual(nameOf("/proc/self/fd/7"), "/there\udcff");
  strictEqual(nameOf("/proc/self/fd/9"), "\udcfe");
  strictEqual(nameOf("/proc/self/fd/8"), "/proc/self/fd/8");
});

Deno.test("arguments that are text are left alone, and so are those of another program", () => {
  const seen = ["record", "ä\\xff", "/proc/self/fd/3"];
  const encoded = new TextEncoder().encode(["saker", ...seen, ""].join("\0"));
  deepStrictEqual(givenArguments(seen, encoded).arguments, seen);
  const other = line("deno", "run", "main.ts", "\xff");
  deepStrictEqual(givenArguments(["\\xff"], other).arguments, ["\\xff"]);
});
