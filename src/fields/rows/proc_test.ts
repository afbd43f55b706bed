// Fields of processes: their program, their parents and leaders, their environment.
import { deepStrictEqual, strictEqual } from "node:assert";
import { Bench, CHILD, clone, exec, open, SHELL } from "../context_fixture.ts";

function child(): Bench {
  const bench = new Bench();
  bench.apply(open(3, "/etc/passwd"));
  return bench;
}

Deno.test("arguments are joined by blanks, counted, and taken one by one", () => {
  const bench = child();
  strictEqual(bench.text("proc.args"), "a b c");
  strictEqual(bench.text("proc.args[0]"), "a b");
  strictEqual(bench.text("proc.args[7]"), "");
  strictEqual(bench.text("proc.cmdline"), "cat a b c");
  strictEqual(bench.value("proc.cmdnargs"), 2);
  strictEqual(bench.value("proc.cmdlenargs"), 4);
  strictEqual(bench.value("proc.args.truncated"), false);
});

Deno.test("arguments as long as what is recorded of them count as cut", () => {
  const bench = new Bench();
  bench.apply(exec(CHILD, "cat", "/usr/bin/cat", ["x".repeat(4095)]));
  strictEqual(bench.value("proc.args.truncated"), true);
});

Deno.test("a variable's value has no blanks around it; one that is not set is empty", () => {
  const bench = child();
  strictEqual(bench.text("proc.env[PATH]"), "/bin");
  strictEqual(bench.text("proc.env[EMPTY]"), "");
  strictEqual(bench.text("proc.env[HOM]"), "");
  strictEqual(bench.text("proc.env"), "HOME=/root PATH= /bin  EMPTY=");
});

Deno.test("the parent is the process that made this one", () => {
  const bench = child();
  strictEqual(bench.text("proc.pname"), "bash");
  strictEqual(bench.text("proc.pcmdline"), "bash -l");
  strictEqual(bench.value("proc.ppid"), SHELL);
  strictEqual(bench.text("proc.aname[0]"), "cat");
  strictEqual(bench.text("proc.aname[1]"), "bash");
  strictEqual(bench.value("proc.aname[9]"), undefined);
});

Deno.test("an ancestor field without an index is a list in conditions, a text in outputs", () => {
  const bench = child();
  bench.apply(clone(CHILD, 300, "cat"));
  bench.apply(exec(300, "id", "/usr/bin/id", []));
  deepStrictEqual(bench.value("proc.aname"), ["cat", "bash"]);
  strictEqual(bench.text("proc.aname"), "cat bash");
  strictEqual(bench.json("proc.aname"), "cat bash");
  deepStrictEqual(bench.value("proc.apid"), [CHILD, SHELL]);
  strictEqual(bench.json("proc.apid"), 300, "outputs show the process itself");
  strictEqual(bench.text("proc.acmdline"), "cat a b c bash -l");
  deepStrictEqual(bench.json("proc.ancestry"), ["cat(200)", "bash(100)"]);
  strictEqual(bench.value("proc.loginshellid"), SHELL);
});

Deno.test("a process without a parent has none", () => {
  const bench = new Bench();
  bench.apply(exec(SHELL, "bash", "/usr/bin/bash", []));
  strictEqual(bench.value("proc.pname"), undefined);
  strictEqual(bench.text("proc.pname"), "<NA>");
  strictEqual(bench.json("proc.aname"), undefined);
});

Deno.test("the session's leader is looked up by its id", () => {
  const bench = child();
  strictEqual(bench.value("proc.pgid"), CHILD);
  strictEqual(bench.text("proc.pgid.name"), "cat");
  strictEqual(bench.value("proc.is_pgid_leader"), true);
});

Deno.test("cgroups have the names that Falco gives the subsystems", () => {
  const bench = child();
  strictEqual(bench.text("thread.cgroups"), "cpu=/ blkio=/box");
  strictEqual(bench.text("thread.cgroup.blkio"), "/box");
  strictEqual(bench.value("thread.cgroup.memory"), undefined);
});

Deno.test("capabilities are named", () => {
  const bench = child();
  strictEqual(bench.text("thread.cap_permitted"), "CAP_CHOWN CAP_DAC_OVERRIDE");
  strictEqual(bench.text("thread.cap_inheritable"), "");
});

Deno.test("root is known without a list of users, others are not", () => {
  const bench = child();
  strictEqual(bench.text("user.name"), "root");
  strictEqual(bench.text("user.homedir"), "/root");
  strictEqual(bench.text("user.shell"), "<NA>");
  bench.apply({
    id: "USER_ADDED_E",
    tid: -1,
    params: { uid: 0, gid: 0, name: "toor", home: "/r", shell: "/bin/zsh", container_id: "" },
  });
  bench.apply(open(3, "/x"));
  strictEqual(bench.text("user.name"), "toor");
  strictEqual(bench.text("user.shell"), "/bin/zsh");
});

Deno.test("outside of containers everything is the host's", () => {
  const bench = child();
  strictEqual(bench.text("container.id"), "host");
  strictEqual(bench.text("container.name"), "host");
  strictEqual(bench.json("container.privileged"), false);
  strictEqual(bench.text("container.image.repository"), "");
  strictEqual(bench.json("k8s.pod.name"), undefined);
});

Deno.test("what a container event tells belongs to the container's processes", () => {
  const bench = new Bench();
  const id = "0123456789ab";
  const cgroup = `/docker/${id}${"c".repeat(52)}`;
  bench.apply(open(3, "/x"));
  const json = JSON.stringify({
    container: {
      id,
      full_id: id + "c".repeat(52),
      type: 0,
      name: "web",
      imagerepo: "nginx",
      privileged: true,
      labels: { "io.kubernetes.pod.name": "pod", app: "shop", empty: "" },
      Mounts: [
        { Source: "/etc", Destination: "/host/etc", Mode: "", RW: true, Propagation: "rslave" },
      ],
    },
  });
  bench.apply({
    id: "ASYNCEVENT_E",
    tid: -1,
    params: { plugin_id: 0, name: "container", data: json },
  });
  strictEqual(bench.text("container.id"), id, "on the event itself");
  const values = exec(CHILD, "sh", "/bin/sh", []);
  const cgroups = new TextEncoder().encode(`cpu=${cgroup}\0`);
  bench.apply({ ...values, params: { ...values.params, cgroups } });
  strictEqual(bench.text("container.name"), "web");
  strictEqual(bench.text("container.type"), "docker");
  strictEqual(bench.text("container.labels"), "app:shop, empty");
  strictEqual(bench.text("container.label[app]"), "shop");
  strictEqual(bench.value("container.label[nonesuch]"), undefined);
  strictEqual(bench.text("k8s.pod.name"), "pod");
  strictEqual(bench.text("container.mounts"), "/etc:/host/etc::true:rslave");
  strictEqual(bench.text("container.mount.dest[/etc]"), "/host/etc");
  strictEqual(bench.text("container.mount.source[0]"), "/etc");
  strictEqual(bench.value("container.mount[/nonesuch]"), undefined);
});

Deno.test("the working directory is the process's, and unknown where the process is", () => {
  const bench = child();
  bench.apply({ id: "SYSCALL_CHDIR_X", tid: CHILD, params: { res: 0, path: "/srv/data" } });
  strictEqual(bench.text("proc.cwd"), "/srv/data/");
  // A thread of a process that no event told of.
  const thread = clone(CHILD, 301, "cat");
  bench.apply({ ...thread, params: { ...thread.params, flags: 1 | 1 << 13 } });
  bench.apply({ id: "SYSCALL_GETUID_X", tid: 301, params: { uid: 0 } });
  strictEqual(bench.text("proc.cwd"), "/srv/data/", "a thread has its process's");
  bench.context.process = undefined;
  strictEqual(bench.value("proc.cwd"), "./");
});

Deno.test("a parent whose id has more than 32 bits has none to show, as in Falco", () => {
  const bench = new Bench();
  const parent = 2 ** 32 + 16;
  bench.apply(clone(CHILD, parent, "cat"));
  bench.apply(exec(parent, "sh", "/usr/bin/sh", []));
  bench.apply(clone(parent, 300, "sh"));
  bench.apply(exec(300, "id", "/usr/bin/id", []));
  strictEqual(bench.value("proc.pname"), "sh");
  strictEqual(bench.value("proc.ppid"), undefined);
  strictEqual(bench.value("proc.apid[1]"), undefined);
  strictEqual(bench.value("proc.apid[2]"), CHILD);
  bench.apply(exec(parent, "sh", "/usr/bin/sh", []));
  strictEqual(bench.value("proc.pid"), undefined);
  strictEqual(bench.value("proc.ppid"), CHILD);
});

Deno.test("the age of a program's file is what the execution found, also for forks", () => {
  const AGE = "proc.exe_ino.ctime_duration_proc_start";
  const began = 1_700_000_000_000_000_000n;
  const bench = new Bench();
  const executed = (ctime: bigint) => {
    const { params, ...rest } = exec(CHILD, "cat", "/usr/bin/cat", []);
    const file = { exe_ino: 5, exe_ino_ctime: ctime, exe_ino_mtime: ctime };
    bench.apply({ ...rest, params: { ...params, ...file } });
  };
  executed(began - 5n);
  strictEqual(bench.value(AGE), 5);
  // The file was copied up into the upper layer after the process began.
  executed(began + 1n);
  strictEqual(bench.text(AGE), "18446744073709551615");
  executed(began - 5n);
  bench.apply({ ...clone(CHILD, 300, "cat"), time: began + 100n });
  bench.apply({ ...open(3, "/etc/passwd"), tid: 300 });
  strictEqual(bench.value(AGE), 5, "its own start is another");
});

Deno.test("the raw path of a relative open that failed is the whole one, as in Falco", () => {
  const bench = new Bench();
  const failed = (id: string, own: Record<string, string | number>) => {
    const params = { fd: -2, flags: 1, mode: 0, dev: 0, ino: 0, ...own };
    bench.apply({ id, tid: CHILD, params });
  };
  bench.apply({ id: "SYSCALL_CHDIR_X", tid: CHILD, params: { res: 0, path: "/srv" } });
  failed("SYSCALL_OPEN_X", { name: "a//../none" });
  strictEqual(bench.text("fd.name"), "/srv/none");
  strictEqual(bench.text("fd.nameraw"), "/srv/none");
  failed("SYSCALL_OPENAT_2_X", { dirfd: -100, name: "./none" });
  strictEqual(bench.text("fd.nameraw"), "./none");
});
