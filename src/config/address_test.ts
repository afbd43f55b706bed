// Addresses of the gRPC server and of NATS as a configuration names them.
import { deepStrictEqual, strictEqual } from "node:assert";
import { parseGrpcAddress, parseNatsUrl } from "./address.ts";

Deno.test("an address of gRPC is a socket of the file system, or an address with its port", () => {
  const path = "/run/falco/falco.sock";
  for (const text of [`unix://${path}`, `unix:${path}`]) {
    deepStrictEqual(parseGrpcAddress(text), { kind: "unix", path });
  }
  deepStrictEqual(parseGrpcAddress("0.0.0.0:5060"), {
    kind: "tcp",
    address: "0.0.0.0",
    port: 5060,
  });
  deepStrictEqual(parseGrpcAddress("[::1]:0"), { kind: "tcp", address: "::1", port: 0 });
  deepStrictEqual(parseGrpcAddress("localhost:1")?.kind, "tcp");
});

Deno.test("what is no address of gRPC is not taken for one", () => {
  const long = `unix:///${"x".repeat(107)}`;
  const texts = ["", "unix://", "unix:///", "unix:///run/", "unix://run/x", long, "a:1", "1.2.3.4"];
  for (const text of [...texts, "1.2.3.4:70000", "/run/falco.sock", "unix:///a\0b"]) {
    strictEqual(parseGrpcAddress(text), undefined, text);
  }
  strictEqual(parseGrpcAddress(`unix:///${"x".repeat(106)}`)?.kind, "unix");
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
