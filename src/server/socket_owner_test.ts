import { strictEqual } from "node:assert";
import { ownerIn, socketOwner } from "./socket_owner.ts";

const HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid";
const REST = "01 00000000:00000000 00:00000000 00000000";

Deno.test("ownerIn() finds the client's own socket by both ends", () => {
  const table = [
    HEAD,
    `   0: 0100007F:223D 0100007F:9C40 ${REST}     0        0 1 1`,
    `   1: 0100007F:9C40 0100007F:223E ${REST}  1002        0 2 1`,
    `   2: 0200007F:9C40 0100007F:223D ${REST}  1003        0 3 1`,
    `   3: 0100007F:9C40 0100007F:223D ${REST}  1001        0 4 1`,
  ].join("\n");
  const client = { address: "127.0.0.1", port: 0x9c40 };
  const server = { address: "127.0.0.1", port: 0x223d };
  strictEqual(ownerIn(table, false, client, server), 1001);
  strictEqual(ownerIn(table, false, { ...client, address: "127.0.0.3" }, server), undefined);
  strictEqual(ownerIn(table, false, { ...client, address: "::1" }, server), undefined);
});

Deno.test("ownerIn() knows addresses of sixteen bytes, and IPv4 within them", () => {
  const one = "00000000000000000000000001000000";
  const mapped = "0000000000000000FFFF00000100007F";
  const table = [
    HEAD,
    `   0: ${one}:9C40 ${one}:223D ${REST}     7        0 1 1`,
    `   1: ${mapped}:9C40 ${mapped}:223D ${REST}     8        0 1 1`,
  ].join("\n");
  const ends = (address: string) => [{ address, port: 0x9c40 }, { address, port: 0x223d }] as const;
  strictEqual(ownerIn(table, true, ...ends("::1")), 7);
  strictEqual(ownerIn(table, true, ...ends("127.0.0.1")), 8);
  strictEqual(ownerIn(table, true, ...ends("::ffff:127.0.0.1")), 8);
});

Deno.test("socketOwner() tells the user of a connection of this process", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [theirs, ours] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
    listener.accept(),
  ]);
  const end = (address: Deno.NetAddr) => ({ address: address.hostname, port: address.port });
  const { localAddr, remoteAddr } = theirs;
  strictEqual(socketOwner(end(localAddr), end(remoteAddr)), Deno.uid() ?? undefined);
  strictEqual(socketOwner({ address: "127.0.0.1", port: 1 }, end(remoteAddr)), undefined);
  theirs.close();
  ours.close();
});
