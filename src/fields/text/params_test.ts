// Event parameters as text: what rules compare with `evt.arg.*` and alerts show.
import { strictEqual } from "node:assert";
import { EVENTS } from "../../events/table.ts";
import { Bench, CHILD, open } from "../context_fixture.ts";
import { FieldSet } from "../field_set.ts";

function bench(...events: Parameters<Bench["apply"]>[0][]): Bench {
  const made = new Bench();
  for (const event of events) made.apply(event);
  return made;
}

Deno.test("a result below zero has its error's name", () => {
  const failed = bench(open(-2, "/absent"));
  strictEqual(failed.text("evt.arg.fd"), "ENOENT");
  strictEqual(failed.text("evt.res"), "ENOENT");
  strictEqual(failed.value("evt.rawarg.fd"), -2);
  strictEqual(failed.value("evt.failed"), true);
});

Deno.test("a descriptor has its type and name", () => {
  strictEqual(bench(open(3, "/etc/passwd")).text("evt.arg.fd"), "<f>/etc/passwd");
});

Deno.test("AT_FDCWD stands for the working directory, which a relative path starts from", () => {
  const opened = bench(open(3, "x/../y"));
  strictEqual(opened.text("evt.arg.dirfd"), "AT_FDCWD");
  strictEqual(opened.text("evt.arg.name"), "y");
  const absolute = bench(open(3, "/a/../b"));
  strictEqual(absolute.text("evt.arg.name"), "/a/../b", "an absolute path is left as it is");
});

Deno.test("a relative path starts from the directory that the call was given", () => {
  const opened = bench(open(4, "/etc", 1 | 1 << 10), open(5, "ssl/cert", 1, 4));
  strictEqual(opened.text("evt.arg.name"), "/etc/ssl/cert");
  strictEqual(opened.text("evt.args").split(" ")[2], "name=ssl/cert(/etc/ssl/cert)");
});

Deno.test("standard input may be the directory that a relative path starts from", () => {
  const opened = bench(open(0, "/etc", 1 | 1 << 10), open(5, "ssl/cert", 1, 0));
  for (const field of ["evt.arg.name", "evt.abspath", "fs.path.name", "fd.name"]) {
    strictEqual(opened.text(field), "/etc/ssl/cert", field);
  }
});

Deno.test("flags are named and joined, a bit is named once", () => {
  strictEqual(bench(open(3, "/x", 0)).text("evt.arg.flags"), "O_NONE");
  strictEqual(bench(open(3, "/x", 3)).text("evt.arg.flags"), "O_RDWR");
  strictEqual(bench(open(3, "/x", 0x1001)).text("evt.arg.flags"), "O_RDONLY|O_CLOEXEC");
  strictEqual(bench(open(3, "/x", 0x1001)).json("evt.rawarg.flags"), "1001");
});

Deno.test("modes are octal in all parameters and named bit by bit", () => {
  const changed = bench({
    id: "SYSCALL_CHMOD_X",
    tid: CHILD,
    params: { res: 0, filename: "/x", mode: 0o4755 },
  });
  strictEqual(
    changed.text("evt.arg.mode"),
    "S_IXOTH|S_IROTH|S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISUID",
  );
  strictEqual(changed.text("evt.args").includes("mode=04755("), true);
});

Deno.test("a user who is not known is <NA>, no user at all <NONE>", () => {
  const setuid = (uid: number) =>
    bench({ id: "SYSCALL_SETUID_X", tid: CHILD, params: { res: 0, uid } });
  strictEqual(setuid(4711).text("evt.args"), "res=0 uid=4711(<NA>)");
  strictEqual(setuid(0xffffffff).text("evt.args"), "res=0 uid=-1(<NONE>)");
});

Deno.test("signals and processes have names", () => {
  const killed = bench({
    id: "SYSCALL_KILL_X",
    tid: CHILD,
    params: { res: 0, pid: CHILD, sig: 9 },
  });
  strictEqual(killed.text("evt.args"), "res=0 pid=200(cat) sig=9(SIGKILL)");
});

Deno.test("buffers show dots for what does not print", () => {
  const written = bench({
    id: "SYSCALL_WRITE_X",
    tid: CHILD,
    params: { res: 5, data: new Uint8Array([0x61, 0x0a, 0xff, 0x7f, 0x7e]), fd: 1, size: 5 },
  });
  strictEqual(written.text("evt.arg.data"), "a...~");
  strictEqual(written.text("evt.buffer"), "a...~");
  strictEqual((written.value("evt.buffer") as Uint8Array).length, 5);
});

Deno.test("buffers are base64 where buffer_format_base64 says so, and bytes in conditions", () => {
  const fields = new FieldSet({ zone: "utc", bufferFormat: "base64" });
  const written = new Bench("caller", fields);
  const data = new Uint8Array([0x61, 0x0a, 0xff, 0x7f, 0x7e]);
  written.apply({
    id: "SYSCALL_WRITE_X",
    tid: CHILD,
    params: { res: 5, data, fd: 1, size: 5 },
  });
  strictEqual(written.text("evt.arg.data"), "YQr/f34=");
  strictEqual(written.text("evt.buffer"), "YQr/f34=");
  strictEqual((written.value("evt.buffer") as Uint8Array)[1], 0x0a);
});

Deno.test("an empty buffer is NULL in text and nothing in conditions", () => {
  const read = bench({ id: "SYSCALL_READ_X", tid: CHILD, params: { res: -9, fd: 1, size: 5 } });
  strictEqual(read.text("evt.arg.data"), "NULL");
  strictEqual(read.value("evt.buffer"), undefined);
});

Deno.test("outputs of captures show what Falco leaves behind an absent buffer", () => {
  const read = (data?: Uint8Array) => ({
    id: "SYSCALL_READ_X",
    tid: CHILD,
    params: { res: data?.length ?? -9, data, fd: 1, size: 5 },
  });
  const shown = bench(read(new TextEncoder().encode("secret word")));
  strictEqual(shown.text("evt.buffer"), "secret word");
  shown.apply(read());
  strictEqual(shown.text("evt.buffer"), "NULL.t word");
  shown.apply({ ...read(), own: {} });
  strictEqual(shown.text("evt.buffer"), "NULL", "events of our own drivers show nothing of others");
});

Deno.test("an empty text is <NA>", () => {
  const failed = bench({ id: "SYSCALL_CHDIR_X", tid: CHILD, params: { res: -14 } });
  strictEqual(failed.text("evt.arg.path"), "<NA>");
});

Deno.test("addresses and tuples read as ip:port", () => {
  const port = (value: number) => [value & 255, value >> 8];
  const connected = bench(
    {
      id: "SOCKET_SOCKET_X",
      tid: CHILD,
      params: { fd: 3, domain: 2, type: 1, proto: 6, flags: 0 },
    },
    {
      id: "SOCKET_CONNECT_X",
      tid: CHILD,
      params: {
        res: 0,
        tuple: new Uint8Array([2, 10, 0, 0, 1, ...port(4000), 10, 0, 0, 2, ...port(443)]),
        fd: 3,
        addr: new Uint8Array([2, 10, 0, 0, 2, ...port(443)]),
      },
    },
  );
  strictEqual(connected.text("evt.arg.tuple"), "10.0.0.1:4000->10.0.0.2:443");
  strictEqual(connected.text("evt.arg.addr"), "10.0.0.2:443");
  strictEqual(connected.text("evt.arg.fd"), "<4t>10.0.0.1:4000->10.0.0.2:443");
  strictEqual(connected.value("fd.sport"), 443);
  strictEqual(connected.value("fd.sip"), "10.0.0.2");
  strictEqual(String(connected.value("fd.ip")), "10.0.0.1,10.0.0.2");
});

Deno.test("an interval has its seconds", () => {
  const slept = bench({
    id: "SYSCALL_NANOSLEEP_X",
    tid: CHILD,
    params: { res: 0, interval: 10_000_000 },
  });
  strictEqual(slept.text("evt.args"), "res=0 interval=10000000(0.01s)");
});

Deno.test("polled descriptors are listed with their types", () => {
  const fds = new Uint8Array(2 + 2 * 10);
  const view = new DataView(fds.buffer);
  view.setUint16(0, 2, true);
  view.setBigInt64(2, 3n, true);
  view.setInt16(10, 1, true);
  view.setBigInt64(12, -1n, true);
  view.setInt16(20, 4, true);
  const polled = bench(open(3, "/x"), {
    id: "SYSCALL_POLL_X",
    tid: CHILD,
    params: { res: 1, fds, timeout: 5 },
  });
  strictEqual(polled.text("evt.arg.fds"), "3:f1 18446744073709551615:?4");
  strictEqual(polled.text("fdlist.nums"), "3,-1");
  strictEqual(polled.text("fdlist.names"), "/x,<NA>");
});

Deno.test("a list of descriptors that is cut short is read as far as it goes", () => {
  const polled = bench({
    id: "SYSCALL_POLL_X",
    tid: CHILD,
    params: { res: 1, fds: new Uint8Array([255, 255, 3, 0]), timeout: 5 },
  });
  strictEqual(polled.text("evt.arg.fds"), "");
  strictEqual(polled.text("fdlist.nums"), "<NA>");
});

Deno.test("parameters of any length and content are read without an error", () => {
  let state = 1;
  const random = (below: number) => {
    state = Math.imul(state, 1103515245) + 12345 | 0;
    return (state >>> 8) % below;
  };
  const bench = new Bench();
  bench.apply(open(3, "/etc", 1 | 1 << 10));
  const bounds = bench.fields.fields.flatMap((field) =>
    [undefined, "0", "1", "flags", "data", "name", "res", "src"].flatMap((argument) => {
      const bound = field.bind(argument);
      return "error" in bound ? [] : [bound];
    })
  );
  for (let round = 0; round < 4 * EVENTS.length; round++) {
    const info = EVENTS[round % EVENTS.length]!;
    const params: Record<string, Uint8Array> = {};
    for (const { name } of info.params) {
      const length = [0, 1, 2, 3, 4, 5, 7, 8, 9, 19, 40][random(11)]!;
      const kind = random(3);
      params[name] = Uint8Array.from(
        { length },
        () => kind === 0 ? random(256) : kind === 1 ? 0 : 255,
      );
    }
    bench.apply({ id: info.id, tid: random(3) === 0 ? 9999 : CHILD, params });
    for (const bound of bounds) {
      bound.extract(bench.context);
      bound.show?.(bench.context);
    }
  }
});
