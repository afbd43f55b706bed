// Sockets: names, ends, roles, as Falco has them.
import { deepStrictEqual, strictEqual } from "node:assert";
import { FdFlag, FdKind } from "./fd.ts";
import { Scene } from "../scene.ts";

const EINPROGRESS = -115;
const CLIENT = "10.0.0.1";
const SERVER = "93.184.216.34";

function scene(): Scene {
  const made = new Scene();
  made.exec(5, "curl");
  return made;
}

/** A socket tuple parameter of IPv4. */
function tuple(source: string, sport: number, destination: string, dport: number): Uint8Array {
  return new Uint8Array([2, ...ip(source), ...port(sport), ...ip(destination), ...port(dport)]);
}

function tuple6(source: number[], sport: number, destination: number[], dport: number): Uint8Array {
  return new Uint8Array([10, ...source, ...port(sport), ...destination, ...port(dport)]);
}

function ip(text: string): number[] {
  return text.split(".").map(Number);
}

/** ::ffff:a.b.c.d */
function mapped(text: string): number[] {
  return [...new Array(10).fill(0), 255, 255, ...ip(text)];
}

function port(number: number): number[] {
  return [number & 255, number >> 8];
}

function socket(s: Scene, fd: number, domain: number, type = 1, proto = 0): void {
  s.event("SOCKET_SOCKET_X", 5, { fd, domain, type, proto, flags: 0 });
}

Deno.test("a socket has no name until it is connected or bound", () => {
  const s = scene();
  socket(s, 3, 2);
  strictEqual(s.fds(5)[3], "");
  const { fdName, fd } = s.event("SOCKET_CONNECT_X", 5, {
    res: 0,
    tuple: tuple(CLIENT, 4000, SERVER, 443),
    fd: 3,
  });
  strictEqual(s.text(fdName), `${CLIENT}:4000->${SERVER}:443`);
  strictEqual(fd!.flags & FdFlag.RoleClient, FdFlag.RoleClient);
  strictEqual(fd!.flags & FdFlag.Connected, FdFlag.Connected);
  strictEqual(fd!.l4proto, 6);
  deepStrictEqual(fd!.destinationIp, new Uint8Array(ip(SERVER)));
  strictEqual(s.context.fdNameChanged, true);
});

Deno.test("a connect under way counts, a failed one changes nothing", () => {
  const s = scene();
  socket(s, 3, 2);
  const params = { tuple: tuple(CLIENT, 1, SERVER, 2), fd: 3 };
  s.event("SOCKET_CONNECT_X", 5, { ...params, res: -111 });
  strictEqual(s.fds(5)[3], "");
  s.event("SOCKET_CONNECT_X", 5, { ...params, res: EINPROGRESS });
  strictEqual(s.fds(5)[3], `${CLIENT}:1->${SERVER}:2`);
});

Deno.test("a bound socket has its own end and serves, an accepted one both ends", () => {
  const s = scene();
  socket(s, 3, 2);
  const bound = s.event("SOCKET_BIND_X", 5, {
    res: 0,
    addr: new Uint8Array([2, ...ip("0.0.0.0"), ...port(80)]),
    fd: 3,
  });
  strictEqual(s.text(bound.fdName), "0.0.0.0:80");
  strictEqual(bound.fd!.flags & FdFlag.Listening, FdFlag.Listening);
  const accepted = s.event("SOCKET_ACCEPT4_6_X", 5, {
    fd: 4,
    tuple: tuple(CLIENT, 9, SERVER, 80),
    flags: 0,
  });
  strictEqual(s.text(accepted.fdName), `${CLIENT}:9->${SERVER}:80`);
  strictEqual(accepted.fd!.flags & FdFlag.RoleServer, FdFlag.RoleServer);
  strictEqual(s.fds(5)[3], "0.0.0.0:80");
});

Deno.test("an IPv6 socket to a mapped address becomes IPv4, its protocol forgotten", () => {
  const s = scene();
  socket(s, 3, 10);
  const { fd, fdName } = s.event("SOCKET_CONNECT_X", 5, {
    res: 0,
    tuple: tuple6(mapped(CLIENT), 1, mapped(SERVER), 2),
    fd: 3,
  });
  strictEqual(fd!.kind, FdKind.Ipv4);
  strictEqual(s.text(fdName), "<unknown>");
});

Deno.test("IPv6 addresses are written as inet_ntop writes them", () => {
  const s = scene();
  socket(s, 3, 10);
  const name = (source: number[]) => {
    socket(s, 3, 10);
    const { fdName } = s.event("SOCKET_CONNECT_X", 5, {
      res: 0,
      tuple: tuple6(source, 1, [...new Array(15).fill(0), 1], 2),
      fd: 3,
    });
    return s.text(fdName)!.split(":1->")[0];
  };
  strictEqual(name([0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), 1]), "2001:db8::1");
  strictEqual(name([0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 3, 0, 4, 0, 5]), "1:0:2::3:4:5");
  strictEqual(name([0xfe, 0x80, ...new Array(14).fill(0)]), "fe80::");
  strictEqual(name([...new Array(12).fill(0), 1, 2, 3, 4]), "::1.2.3.4");
  strictEqual(name([0, 1, 0, 0, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7]), "1:0:2:3:4:5:6:7");
});

Deno.test("data from a bound UDP socket turns its name to the other end's view", () => {
  const s = scene();
  socket(s, 3, 2, 2);
  s.event("SOCKET_BIND_X", 5, {
    res: 0,
    addr: new Uint8Array([2, ...ip(SERVER), ...port(53)]),
    fd: 3,
  });
  const got = s.event("SOCKET_RECVFROM_X", 5, {
    res: 4,
    tuple: tuple(CLIENT, 5000, SERVER, 53),
    fd: 3,
    size: 9,
  });
  strictEqual(s.text(got.fdName), `${CLIENT}:5000->${SERVER}:53`);
  const sent = s.event("SOCKET_SENDTO_X", 5, {
    res: 4,
    fd: 3,
    size: 4,
    tuple: tuple(SERVER, 53, CLIENT, 5001),
  });
  strictEqual(s.text(sent.fdName), `${CLIENT}:5001->${SERVER}:53`);
});

Deno.test("a send through an unknown descriptor is taken for UDP", () => {
  const s = scene();
  const { fd } = s.event("SOCKET_SENDTO_X", 5, {
    res: 4,
    fd: 9,
    size: 4,
    tuple: tuple(CLIENT, 53, SERVER, 5001),
  });
  strictEqual(fd!.l4proto, 17);
  strictEqual(fd!.flags & FdFlag.RoleClient, FdFlag.RoleClient);
});

Deno.test("a Unix socket's name has both kernel addresses and the path", () => {
  const s = scene();
  socket(s, 3, 1);
  const bytes = new Uint8Array(17 + 7);
  bytes[0] = 1;
  new DataView(bytes.buffer).setBigUint64(1, 0xffff888012345678n, true);
  new DataView(bytes.buffer).setBigUint64(9, 0x2an, true);
  bytes.set(new TextEncoder().encode("/r/sock"), 17);
  const whole = new Uint8Array([...bytes, 0]);
  const { fdName } = s.event("SOCKET_CONNECT_X", 5, { res: 0, tuple: whole, fd: 3 });
  strictEqual(s.text(fdName), "ffff888012345678->2a /r/sock");
});

Deno.test("an abstract name is shown by its length, with @ for each NUL", () => {
  const s = scene();
  socket(s, 3, 1);
  const name = (text: string) => new Uint8Array([1, ...new TextEncoder().encode(text)]);
  const bound = (text: string) =>
    s.text(s.event("SOCKET_BIND_X", 5, { res: 0, addr: name(text), fd: 3 }).fdName);
  strictEqual(bound("@a\0b\0\0"), "@a@b@");
  // A path ends with its first NUL, whatever lies behind.
  strictEqual(bound("/r/sock\0rest\0"), "/r/sock");
});

Deno.test("a change to a socket does not show in a process that inherited it", () => {
  const s = scene();
  socket(s, 3, 2);
  s.forked(5, 6);
  s.event("SOCKET_CONNECT_X", 5, { res: 0, tuple: tuple(CLIENT, 1, SERVER, 2), fd: 3 });
  strictEqual(s.fds(6)[3], "");
});

Deno.test("socketpair gives two numbers of one pair", () => {
  const s = scene();
  s.event("SOCKET_SOCKETPAIR_X", 5, { res: 0, fd1: 3, fd2: 4, source: 1n, peer: 2n });
  const fds = s.machine.fdsOf(s.thread(5))!;
  strictEqual(fds.get(3)!.kind, FdKind.Unix);
  strictEqual(fds.get(4)!.unixDestination, 2n);
});

Deno.test("tuples and addresses of any bytes are read without fail", () => {
  const s = scene();
  let state = 99;
  const random = () => (state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff) >>> 8;
  for (let step = 0; step < 4000; step++) {
    const bytes = Uint8Array.from({ length: random() % 48 }, () => random());
    if (bytes.length > 0) bytes[0] = [1, 2, 10, 16, random()][random() % 5]!;
    socket(s, 3, [1, 2, 10, 16][random() % 4]!, 1 + random() % 3);
    const params = { res: 0, fd: 3, size: 1, tuple: bytes, addr: bytes };
    const ids = ["SOCKET_CONNECT_X", "SOCKET_BIND_X", "SOCKET_SENDTO_X", "SOCKET_RECVFROM_X"];
    s.event(ids[random() % ids.length]!, 5, params);
    s.event("SOCKET_ACCEPT_5_X", 5, { fd: 4, tuple: bytes });
  }
});
