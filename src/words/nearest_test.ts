import { strictEqual } from "node:assert/strict";
import { nearest } from "./nearest.ts";

const FIELDS = ["proc.name", "proc.pname", "fd.name", "user.name"];

Deno.test("nearest() finds the name that differs least", () => {
  strictEqual(nearest("proc.nam", FIELDS), "proc.name");
  strictEqual(nearest("proc.pnme", FIELDS), "proc.pname");
  strictEqual(nearest("fd.nmae", FIELDS), "fd.name");
});

Deno.test("nearest() finds nothing where every name differs in more than a third", () => {
  strictEqual(nearest("container.id", FIELDS), undefined);
});

Deno.test("nearest() corrects words of two letters", () => {
  strictEqual(nearest("im", ["in", "exists"]), "in");
});

Deno.test("nearest() does not offer the word itself", () => {
  strictEqual(nearest("fd.name", ["fd.name"]), undefined);
});

Deno.test("nearest() compares no words of more than 64 letters", () => {
  strictEqual(nearest("a".repeat(65), ["a".repeat(64)]), undefined);
});
