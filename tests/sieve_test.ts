// The sieve over captures hides nothing: the same alerts, byte for byte, with it and without it,
// on captures made by chance under rules made by chance, and on those of the real Falco in its four
// ways where they lie beside the clone.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { existsSync } from "node:fs";
import { ruleText } from "../src/rules/load_fixture.ts";
import { type ChanceEvent, rulesByChance } from "../src/sieve/chance_fixture.ts";
import { type Mode, rulesOf } from "../scripts/comparison/saker_alerts.ts";
import { PutCapture } from "./put_capture.ts";
import { list, program } from "./sieve_captures.ts";
import { byChance } from "./sieve_chance.ts";
import { compare, replayed, rulesStart } from "./sieve_runs.ts";

Deno.test("a replay tells the same with the sieve on captures and rules by chance", () => {
  byChance(1, 120, (chance) => rulesByChance(chance, 3));
});

Deno.test("a replay tells the same with the sieve where a rule shows descriptors by chance", () => {
  const show =
    '"%evt.num %proc.name %fd.name %fd.types[3] %fd.types[4] %proc.fdopencount %evt.args"';
  byChance(1001, 60, (chance) =>
    rulesByChance(chance, 3) + ruleText(
      "shows",
      JSON.stringify(chance.of([
        "evt.type in (write, chdir, fchdir)",
        "evt.type = read and fd.name startswith /etc",
        "evt.type in (dup, dup2, fcntl) and fd.num = 4",
        "evt.type = close and fd.name contains a",
        "evt.type = execve",
        "evt.type = socket and fd.types[3] = file",
      ])),
      { output: show },
    ));
});

Deno.test("a replay tells the same with the sieve where sockets are used by chance", () => {
  const show =
    '"%evt.num %evt.type %fd.num %fd.name %fd.type %fd.sip %fd.sport %fd.cip %fd.cport ' +
    '%fd.l4proto %fd.is_server %proc.name"';
  byChance(3001, 240, (chance) =>
    rulesByChance(chance, 3) + ruleText(
      "sockets",
      JSON.stringify(chance.of([
        "evt.type in (sendto, recvfrom)",
        "evt.type = sendto and fd.sport = 1",
        "evt.type = connect and fd.sip = 127.0.0.2",
        "evt.type in (connect, accept4) and fd.l4proto = udp",
        "evt.type in (connect, accept4) and fd.l4proto in (tcp, icmp)",
        "evt.type = connect and fd.l4proto = raw",
        "evt.type = connect and not fd.l4proto = udp and fd.type in (ipv4, ipv6)",
        "evt.type = connect and fd.l4proto != tcp",
        'evt.type in (connect, accept4) and fd.l4proto contains "<NA"',
        "evt.type in (connect, accept4) and toupper(fd.l4proto) = UDP and evt.rawres >= 0",
        "evt.type in (write, read) and fd.l4proto = udp",
        "evt.type in (dup, dup2, fcntl) and fd.type in (ipv4, ipv6)",
        "evt.type = close and fd.name contains 127",
        "evt.type = bind",
        "evt.type in (accept4, recvfrom) and fd.is_server = true",
        "evt.type = execve",
      ])),
      { output: show },
    ), "sockets");
});

Deno.test("a replay tells the same with the sieve where calls are told of for nobody", () => {
  const output = "%evt.num %evt.type %thread.tid %proc.name %fd.name";
  const asides = ["%proc.vmsize", "%thread.vmrss", "%proc.fdlimit", "%proc.fdusage"];
  byChance(5001, 120, (chance) =>
    chance.some([
      "evt.type = times",
      "evt.type in (sched_yield, openat) and proc.name = sh",
      "evt.type = futex",
      "syscall.type = times and proc.name exists",
      "evt.type = write",
      "evt.type = mmap and proc.name = b and evt.arg.length > 0",
      "evt.type in (brk, munmap) and thread.tid = 10",
      "evt.type = write and proc.vmsize > 50",
      "evt.type in (write, execve) and proc.fdlimit < 60",
      "evt.type = prlimit and proc.name = sh",
      "evt.type = execve",
    ], 3).map((condition, at) =>
      ruleText(`r${at}`, JSON.stringify(condition), {
        output: JSON.stringify(
          chance.below(2) === 0 ? output : `${output} ${chance.of(asides)}`,
        ),
      })
    ).join(""), "calls");
});

Deno.test("a replay tells the same with the sieve where fields look at everything", () => {
  byChance(
    2001,
    10,
    (chance) =>
      rulesByChance(chance, 3) +
      ruleText("order", JSON.stringify("evt.type in (write, dup2)"), { output: '"%fd.types"' }),
  );
});

Deno.test("a replay tells the same with the sieve where no rule asks for a descriptor", () => {
  const output = '"%evt.num %evt.type %evt.res %proc.name %proc.pname %proc.args %user.uid"';
  byChance(4001, 60, (chance) =>
    chance.some([
      "evt.type in (openat, connect) and proc.name = b",
      "evt.type in (close, fcntl) and not proc.name in (sh, t)",
      "evt.type = procexit",
      "evt.type in (execve, clone) and proc.pname exists",
      "evt.failed = true and proc.aname[1] = sh",
      "evt.type in (write, dup2, fchdir) and container.id = host",
    ], 3).map((condition, at) => ruleText(`r${at}`, JSON.stringify(condition), { output }))
      .join(""), "sockets");
});

Deno.test("a replay knows descriptors whose opens were held back, however they were copied", () => {
  using capture = new PutCapture();
  const put = (id: string, params: ChanceEvent["params"]) => {
    capture.put({ id, tid: 10, params });
  };
  const open = (fd: number, dirfd: number, name: string, flags = 1) =>
    put("SYSCALL_OPENAT_2_X", { fd, dirfd, name, flags, mode: 0, dev: 1, ino: 2 });
  const write = (fd: number) =>
    put("SYSCALL_WRITE_X", { res: 1, fd, data: new Uint8Array(1), size: 1 });
  const close = (fd: number) => put("SYSCALL_CLOSE_X", { res: 0, fd });
  put("SYSCALL_GETUID_X", { uid: 0 });
  put("SYSCALL_GETUID_X", { uid: 0 });
  open(3, -100, "/tmp/directory", 1 << 10 | 1);
  open(4, 3, "below");
  put("SYSCALL_FCNTL_X", { res: 5, fd: 4, cmd: 26, arg: 3 });
  close(4);
  close(3);
  write(5);
  open(4, -100, "/tmp/second");
  put("SYSCALL_DUP2_X", { res: 5, oldfd: 4, newfd: 5 });
  open(4, -100, "/var/third");
  write(5);
  write(4);
  close(4);
  write(4);
  const rule = ruleText("r", "evt.type = write and fd.name startswith /tmp/", {
    output: '"%evt.num %fd.name"',
  });
  const file = capture.file();
  ok(compare([file], rulesStart(rule), "copies") > 4);
  const outputs = replayed([file], rulesStart(rule), true).alerts.map((alert) =>
    JSON.parse(alert).output.split(" ").slice(-2).join(" ")
  );
  deepStrictEqual(outputs, ["8 /tmp/directory/below", "12 /tmp/second"]);
});

Deno.test("a replay knows the protocol of a socket from the call that made it", () => {
  using capture = new PutCapture();
  const put = (id: string, params: ChanceEvent["params"], tid = 10) => {
    capture.put({ id, tid, params });
  };
  const [stream, datagram, raw] = [1, 2, 3];
  const tuple = new Uint8Array([2, 127, 0, 0, 1, 9, 0, 127, 0, 0, 2, 7, 0]);
  const addr = new Uint8Array([2, 127, 0, 0, 2, 7, 0]);
  const socket = (fd: number, type: number, tid = 10, proto = 0, domain = 2) =>
    put("SOCKET_SOCKET_X", { fd, domain, type, proto, flags: 0 }, tid);
  const connect = (fd: number, tid = 10, res = 0) =>
    put("SOCKET_CONNECT_X", { res, tuple, fd, addr }, tid);
  const copy = (oldfd: number, newfd: number) =>
    put("SYSCALL_DUP2_X", { res: newfd, oldfd, newfd });
  for (const tid of [10, 10, 11]) put("SYSCALL_GETUID_X", { uid: 0 }, tid);
  // The same number at two processes, and again after it was closed.
  socket(3, stream);
  socket(3, datagram, 11);
  connect(3); // 6
  connect(3, 11); // 7
  put("SYSCALL_CLOSE_X", { res: 0, fd: 3 }, 11);
  socket(3, stream, 11);
  connect(3, 11); // 10
  socket(3, datagram);
  connect(3, 10, -115); // 12
  connect(3); // 13
  // A copy stands for the other from then on.
  socket(4, stream);
  copy(3, 4);
  connect(4); // 16
  socket(5, stream);
  copy(5, 3);
  connect(3); // 19
  // What a send tells of, and what takes a number that was another's.
  const sent = { res: 1, data: new Uint8Array(1), fd: 6, size: 1, tuple };
  put("SOCKET_SENDTO_X", sent);
  connect(6); // 21
  const queue = { queuepct: 0, queuelen: 0, queuemax: 5 };
  put("SOCKET_ACCEPT4_6_X", { fd: 6, tuple, ...queue, flags: 0 }); // 22
  connect(6); // 23
  // The protocol by its number; a family that has none.
  socket(7, raw, 10, 17);
  connect(7); // 25
  socket(7, stream, 10, 17);
  connect(7); // 27
  socket(7, datagram, 10, 0, 16);
  connect(7); // 29
  connect(8); // 30
  const rule = ruleText("r", "evt.type in (connect, accept4) and fd.l4proto = udp", {
    output: '"%evt.num %fd.l4proto"',
  });
  const file = capture.file();
  ok(compare([file], rulesStart(rule), "protocols") > 12);
  const numbers = replayed([file], rulesStart(rule), true).alerts.map((alert) =>
    JSON.parse(alert).output.split(" ").at(-2)
  );
  deepStrictEqual(numbers, ["7", "12", "13", "16", "21", "27"]);
});

Deno.test("a replay folds the same name below each directory by itself", () => {
  using capture = new PutCapture();
  const put = (id: string, params: ChanceEvent["params"]) => {
    capture.put({ id, tid: 10, params });
  };
  const open = (fd: number, dirfd: number, name: string, flags = 1) =>
    put("SYSCALL_OPENAT_2_X", { fd, dirfd, name, flags, mode: 0, dev: 1, ino: 2 });
  put("SYSCALL_GETUID_X", { uid: 0 });
  put("SYSCALL_GETUID_X", { uid: 0 });
  open(3, -100, "/tmp/x", 1 << 10 | 1);
  open(4, -100, "/etc/x", 1 << 10 | 1);
  for (let round = 0; round < 2; round++) {
    open(5, 3, "../shadow");
    open(5, 4, "../shadow");
  }
  const rule = ruleText("r", "evt.type = openat and fd.name = /etc/shadow", {
    output: '"%evt.num %fd.name"',
  });
  const file = capture.file();
  strictEqual(replayed([file], rulesStart(rule), false).alerts.length, 2);
  ok(compare([file], rulesStart(rule), "folded") > 2);
});

Deno.test("a replay passes over what no rule wants of a program, until another runs", () => {
  using capture = new PutCapture();
  const put = (id: string, tid: number, params: ChanceEvent["params"]) => {
    capture.put({ id, tid, params });
  };
  const runs = (comm: string, tid: number) =>
    put("SYSCALL_EXECVE_19_X", tid, {
      ...program(comm, tid, tid, 1),
      res: 0,
      env: list("A=b"),
      trusted_exepath: `/usr/bin/${comm}`,
      filename: comm,
      flags: 0,
      pgid: 1,
      vpgid: 1,
    });
  const open = (tid: number, name: string) =>
    put("SYSCALL_OPENAT_2_X", tid, { fd: 3, dirfd: -100, name, flags: 1, mode: 0, dev: 1, ino: 2 });
  put("SYSCALL_GETUID_X", 10, { uid: 0 });
  put("SYSCALL_GETUID_X", 11, { uid: 0 });
  runs("sh", 10);
  runs("cat", 11);
  for (const tid of [10, 11, 10, 11]) open(tid, "/tmp/before");
  runs("cat", 10);
  runs("sh", 11);
  for (const tid of [10, 11, 10, 11]) open(tid, "/tmp/after");
  const rule = ruleText("r", "evt.type = openat and proc.name = cat", {
    output: '"%evt.num %thread.tid %fd.name"',
  });
  const file = capture.file();
  const { alerts, passed } = replayed([file], rulesStart(rule), true);
  const outputs = alerts.map((alert) => JSON.parse(alert).output.split(" ").slice(-3).join(" "));
  deepStrictEqual(outputs, [
    "6 11 /tmp/before",
    "8 11 /tmp/before",
    "11 10 /tmp/after",
    "13 10 /tmp/after",
  ]);
  ok(passed >= 4, `${passed} events were passed over`);
  compare([file], rulesStart(rule), "threads");
});

Deno.test("a replay sees the kernel's path of saker's own events, whatever the caller said", () => {
  using capture = new PutCapture();
  const params = { fd: 3, dirfd: -100, name: "/tmp/link", flags: 1, mode: 0, dev: 1, ino: 2 };
  const put = (name: string, own?: { readonly path: string }) => {
    const id = "SYSCALL_OPENAT_2_X";
    capture.put({ id, tid: 10, params: { ...params, name }, ...(own && { own }) });
  };
  put("/tmp/first");
  put("/tmp/link", { path: "/etc/shadow" });
  put("/tmp/other");
  const rule = ruleText("r", "evt.type = openat and fd.name startswith /etc/", {
    output: '"%fd.name"',
  });
  const file = capture.file();
  strictEqual(replayed([file], rulesStart(rule), true).alerts.length, 1);
  strictEqual(compare([file], rulesStart(rule), "own events"), 1);
});

const SHARED = new URL("../../shared", import.meta.url).pathname;
const PLACES = { captures: `${SHARED}/captures`, rules: `${SHARED}/rules` };
/** Bytes of a capture that is replayed in a way: the largest in one way only, and an alert for
 * nearly each event takes long. */
const BYTES_MAX: Readonly<Record<Mode, number>> = {
  first: 4 << 20,
  all: 4 << 20,
  every: Infinity,
  fields: 400_000,
};
const MODES: readonly Mode[] = ["first", "all", "every", "fields"];

for (const mode of MODES) {
  Deno.test({
    name: `a replay of Falco's captures tells the same with the sieve (${mode})`,
    ignore: !existsSync(PLACES.captures),
    fn() {
      const rules = rulesOf(mode, PLACES);
      const names = [...Deno.readDirSync(PLACES.captures)].map(({ name }) => name)
        .filter((name) => name.endsWith(".scap"))
        .filter((name) => Deno.statSync(`${PLACES.captures}/${name}`).size < BYTES_MAX[mode]);
      ok(names.length > 0);
      const passed = names.map((name) =>
        compare([`${PLACES.captures}/${name}`], rules, `${name} (${mode})`)
      );
      if (mode === "first") ok(passed.every((events) => events > 0));
      deepStrictEqual(passed.length, names.length);
    },
  });
}
