// Errors of the addon as the one line that a person reads.
import { match, strictEqual } from "node:assert";
import { driverErrorLine } from "./driver_error.ts";

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

Deno.test("each error of the addon says what is wrong and what to do, on one line", () => {
  match(driverErrorLine(coded("NO_PERMISSION", "EPERM")), /run saker as root.*\(EPERM\)$/);
  match(driverErrorLine(coded("NO_BTF", "")), /CONFIG_DEBUG_INFO_BTF$/);
  match(driverErrorLine(coded("NO_TRACEPOINTS", "x")), /mount -t tracefs/);
  match(driverErrorLine(coded("NO_MEMORY", "x")), /buf_size_preset/);
});

Deno.test("what the verifier says in many lines becomes one", () => {
  strictEqual(
    driverErrorLine(coded("VERIFIER", "openat:\n  R1 invalid\n\n  processed 5 insns\n")),
    "Cannot load the probe: the kernel's verifier refuses it " +
      "(openat: R1 invalid processed 5 insns)",
  );
});

Deno.test("any other error is its message on one line", () => {
  strictEqual(driverErrorLine(new Error("Cannot read\nit")), "Cannot read it");
  strictEqual(driverErrorLine(coded("SOMETHING", "else")), "else");
  strictEqual(driverErrorLine("text"), "text");
});
