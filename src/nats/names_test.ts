import { strictEqual } from "node:assert";
import { hostOfToken, hostToken } from "./names.ts";

Deno.test("a host's name is one token, and comes back", () => {
  strictEqual(hostToken("web.1"), "web=2E1");
  for (const host of ["web-1_a", "a.b.c", "é*>", "=", "", " ", "x=2E"]) {
    const token = hostToken(host);
    strictEqual(/^[A-Za-z0-9_=-]+$/.test(token), true, token);
    strictEqual(hostOfToken(token), host);
  }
  for (const other of ["a.b", "=2", "=zz", "a*"]) strictEqual(hostOfToken(other), undefined);
});
