// A module's file as the tools of this machine write one, and files that are none.
import { deepStrictEqual, strictEqual } from "node:assert";
import { readModuleFile, releaseOf } from "./module_file.ts";

/** An object whose section .modinfo holds these texts. */
function object(texts: readonly string[], tail = ""): Uint8Array {
  const directory = Deno.makeTempDirSync();
  try {
    const lines = texts.map((text) => `.asciz ${JSON.stringify(text)}\n`).join("");
    Deno.writeTextFileSync(
      `${directory}/m.s`,
      `.text\nnop\n.section .modinfo,"a"\n${lines}.section .data\n.long 1\n`,
    );
    const { success } = new Deno.Command("gcc", {
      args: ["-c", "-o", `${directory}/m.o`, `${directory}/m.s`],
    }).outputSync();
    strictEqual(success, true);
    return new Uint8Array([
      ...Deno.readFileSync(`${directory}/m.o`),
      ...new TextEncoder().encode(tail),
    ]);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

const VERMAGIC = "6.1.0-49-amd64 SMP preempt mod_unload modversions ";
const INFO = ["license=GPL", "version=0.1.0", "name=saker", `vermagic=${VERMAGIC}`];

Deno.test("readModuleFile tells name, version, kernel, and whether it is signed", () => {
  const file = readModuleFile(object(INFO))!;
  deepStrictEqual(file, {
    name: "saker",
    version: "0.1.0",
    vermagic: VERMAGIC,
    isSigned: false,
  });
  strictEqual(releaseOf(file), "6.1.0-49-amd64");
  const signed = readModuleFile(object(INFO, "signature~Module signature appended~\n"));
  strictEqual(signed?.isSigned, true);
});

Deno.test("readModuleFile takes nothing for a module that is none", () => {
  const whole = object(INFO);
  strictEqual(readModuleFile(object(["license=GPL"])), undefined);
  strictEqual(readModuleFile(new Uint8Array()), undefined);
  strictEqual(readModuleFile(new TextEncoder().encode("#!/bin/sh\n".repeat(20))), undefined);
  // Wherever it is cut, and whatever its numbers say.
  for (let end = 0; end < whole.length; end += 7) readModuleFile(whole.subarray(0, end));
  for (let at = 0; at < 64; at++) {
    const other = whole.slice();
    other.fill(0xff, at, at + 4);
    readModuleFile(other);
  }
});
