// Calls with all their parameters: for each a rule that asks for them, and what its alert shows.
import { assertEquals } from "./expect.ts";
import { Saker } from "./saker.ts";
import { compiled, has, isRoot, Place, run, triggersOf } from "./trigger.ts";

interface Asked {
  /** `evt.type`. */
  readonly call: string;
  /** What else the rule asks; PLACE and MARKER stand for the test's own. */
  readonly asks: string;
  /** Fields of the alert. */
  readonly shows: Readonly<Record<string, unknown>>;
}

const asked = (call: string, asks: string, shows: Asked["shows"] = {}): Asked => ({
  call,
  asks,
  shows,
});

const FIRST = "fd.name = PLACE/first";

const CALLS: readonly Asked[] = [
  asked("write", `${FIRST} and evt.buffer = hello and evt.is_io_write = true`, {
    "evt.buflen": 5,
    "evt.rawres": 5,
    "fd.num": 50,
    "evt.arg.size": 5,
  }),
  asked("write", "evt.res = EBADF and evt.buffer = nobody", { "fd.num": 900, "fd.name": "" }),
  asked("pwrite", `${FIRST} and evt.buffer contains jelly`, { "evt.arg.pos": 0 }),
  asked("writev", `${FIRST} and evt.buffer = vector`, { "evt.arg.size": 6, "evt.rawres": 6 }),
  asked("pwritev", `${FIRST} and evt.buffer = vector`, { "evt.arg.pos": 20 }),
  asked("read", `${FIRST} and evt.buffer = lly and evt.is_io_read = true`, { "evt.buflen": 3 }),
  asked("pread", `${FIRST} and evt.buffer = elly`, { "evt.arg.pos": 1, "evt.arg.size": 4 }),
  asked("readv", `${FIRST} and evt.buffer = vector`, { "evt.arg.size": 6 }),
  asked("preadv", `${FIRST} and evt.buffer = vector`, { "evt.arg.pos": 20 }),
  asked("lseek", `${FIRST} and evt.arg.whence = SEEK_SET and evt.arg.offset = 2`),
  asked("sendfile", "fd.name = PLACE/second", { "evt.arg.size": 4, "evt.arg.offset": 4 }),
  asked("copy_file_range", "fd.name = PLACE/second", { "evt.arg.len": 4, "evt.rawres": 4 }),
  asked("splice", "fd.type = pipe and evt.arg.flags contains SPLICE_F_MOVE", {
    "evt.arg.size": 4,
  }),
  asked("mprotect", "evt.arg.prot contains PROT_EXEC and evt.arg.prot contains PROT_WRITE", {
    "evt.arg.prot": "PROT_READ|PROT_WRITE|PROT_EXEC",
    "evt.arg.length": 4096,
  }),
  asked("mmap", `${FIRST} and evt.arg.prot contains PROT_EXEC`, {
    "evt.arg.flags": "MAP_PRIVATE",
    "evt.arg.length": 4096,
  }),
  asked("munmap", "evt.arg.length = 4096 and evt.arg.vm_size > 0"),
  asked("mlock", "evt.arg.len = 4096"),
  asked("munlock", "evt.arg.len = 4096"),
  asked("process_vm_writev", "evt.rawres = 3 and evt.arg.data = abc"),
  asked("process_vm_readv", "evt.rawres = 3 and evt.arg.data = abc"),
  asked("fstat", FIRST, { "fd.num": 50 }),
  asked("flock", `${FIRST} and evt.arg.operation contains LOCK_EX`, {
    "evt.arg.operation": "LOCK_EX|LOCK_NB",
  }),
  asked("getdents64", "fd.name = PLACE and fd.type = directory"),
  asked("ioctl", "fd.num = 53 and evt.arg.request = 541B", { "fd.type": "pipe" }),
  asked("poll", "evt.arg.fds contains 53", { "evt.arg.timeout": 7, "evt.rawres": 1 }),
  asked("nanosleep", "evt.rawarg.interval = 1000"),
  asked("futex", "evt.arg.op contains FUTEX_PRIVATE_FLAG and evt.arg.val = 3", {
    "evt.arg.op": "FUTEX_PRIVATE_FLAG|FUTEX_WAKE",
  }),
  asked("getrlimit", "evt.arg.resource = RLIMIT_CORE"),
  asked("keyctl", "evt.arg.operation = KEYCTL_JOIN_SESSION_KEYRING and evt.arg.arg2 = MARKER"),
  asked("seccomp", "evt.arg.op = 1 and evt.failed = true"),
  asked("semget", "evt.arg.nsems = 3 and evt.arg.semflg contains IPC_CREAT"),
  asked("semctl", "evt.arg.cmd = IPC_RMID"),
  asked("quotactl", "evt.arg.cmd contains Q_GETQUOTA and evt.arg.special = MARKER", {
    "evt.arg.id": 1000,
  }),
  asked("io_uring_enter", "evt.arg.to_submit = 3 and evt.res = EBADF"),
  asked("fsconfig", "evt.arg.cmd = FSCONFIG_SET_STRING and evt.arg.key = MARKER"),
  asked("getresuid", 'evt.rawres = 0 and evt.args contains "euid=0("'),
  asked("getcwd", "evt.arg.path = PLACE"),
];

function ruleOf({ call, asks, shows }: Asked, index: number, place: Place) {
  const condition = asks.replaceAll("PLACE", place.path).replaceAll("MARKER", `"${place.marker}"`);
  return {
    rule: `${index} ${call}`,
    desc: asks,
    condition: `evt.type = ${call} and ${condition} and ${triggersOf(place.marker)}`,
    output: `%evt.type ${Object.keys(shows).map((field) => `%${field}`).join(" ")} %proc.cmdline`,
    priority: "NOTICE",
  };
}

Deno.test({
  name: "each call that rules ask parameters of comes with them, and with its file",
  ignore: !isRoot() || !has("cc"),
  async fn() {
    await using place = new Place();
    const program = await compiled(place, "calls", ["-Wno-unused-result"]);
    const file = place.file("rules.yaml");
    const rules = CALLS.map((call, index) => ruleOf(call, index, place));
    Deno.writeTextFileSync(file, JSON.stringify(rules));
    await using saker = await Saker.start([place.marker], {
      args: ["-r", file, "-o", "rule_matching=all"],
    });
    const { code, stderr } = await run(program, [place.path, place.marker]);
    assertEquals(code, 0, stderr);
    const wrong: string[] = [];
    for (const [index, { rule }] of rules.entries()) {
      const fields = (await saker.alert(rule, place.marker).catch(() => undefined))?.output_fields;
      if (fields === undefined) wrong.push(`no alert of ${rule}`);
      for (const [field, shown] of Object.entries(CALLS[index]!.shows)) {
        const told = String(fields?.[field]);
        if (told !== String(shown)) wrong.push(`${rule}: ${field} is ${told}, not ${shown}`);
      }
    }
    assertEquals(wrong, []);
  },
});
