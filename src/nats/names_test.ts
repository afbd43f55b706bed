import { strictEqual } from "node:assert";
import { hostOfToken, hostToken } from "./names.ts";
import { parseNatsUrl } from "./options.ts";

Deno.test("a host's name is one token, and comes back", () => {
  strictEqual(hostToken("web.1"), "web=2E1");
  for (const host of ["web-1_a", "a.b.c", "é*>", "=", "", " ", "x=2E"]) {
    const token = hostToken(host);
    strictEqual(/^[A-Za-z0-9_=-]+$/.test(token), true, token);
    strictEqual(hostOfToken(token), host);
  }
  for (const other of ["a.b", "=2", "=zz", "a*"]) strictEqual(hostOfToken(other), undefined);
});

Deno.test("addresses of nats-servers", () => {
  const shown = (text: string) => {
    const address = parseNatsUrl(text);
    return address && `${address.isTls} ${address.hostname} ${address.port}`;
  };
  strictEqual(shown("nats://h"), "false h 4222");
  strictEqual(shown("tls://a.b:1"), "true a.b 1");
  strictEqual(shown("nats://[::1]:5/"), "false ::1 5");
  for (
    const bad of ["h:1", "http://h", "nats://u:p@h", "nats://h:0", "nats://h:70000", "nats://"]
  ) {
    strictEqual(shown(bad), undefined, bad);
  }
});
