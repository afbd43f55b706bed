// For tests: rules and events made by chance from a seed, about what the sieve decides: names,
// flags, results, descriptors.
import type { ParamValue } from "../events/event_fixture.ts";
import type { Chance } from "../rules/check/condition_fixture.ts";
import { ruleText } from "../rules/load_fixture.ts";

const NAME_FIELDS = [
  "fd.name",
  "fd.name",
  "fd.name",
  "fd.nameraw",
  "fd.directory",
  "fd.filename",
  "fs.path.name",
  "fs.path.nameraw",
  "fs.path.source",
  "fs.path.target",
  "fs.path.targetraw",
  "evt.arg.name",
  "evt.arg.path",
  "evt.rawarg.name",
  "evt.abspath",
  "proc.name",
  "proc.cwd",
];
const NUMBER_FIELDS = [
  "evt.rawres",
  "fd.num",
  "evt.rawarg.flags",
  "evt.rawarg.mode",
  "evt.rawarg.fd",
  "evt.rawarg.cmd",
];
const FLAG_FIELDS = [
  "evt.is_open_read",
  "evt.is_open_write",
  "evt.is_open_create",
  "evt.is_open_exec",
  "evt.failed",
];
const TYPES = [
  "open",
  "openat",
  "openat2",
  "creat",
  "close",
  "fcntl",
  "dup",
  "dup2",
  "unlink",
  "unlinkat",
  "rename",
  "renameat",
  "symlink",
  "linkat",
  "chdir",
  "write",
  "read",
  "fchmod",
  "mkdir",
  "chmod",
  "connect",
  "socket",
];
const PARTS = ["/etc", "/etc/", "shadow", "/tmp/a", "b", "..", ".", "/", "//", "x.so", "/etc/a.b"];
const WORDS = [
  ...PARTS,
  "/etc/shadow",
  "/tmp",
  "/tmp/a/b",
  "a/b",
  "./b",
  "../b",
  "<UNKNOWN>",
  "<NA>",
  "",
  "etc",
  "pass",
  "w",
];
const GLOBS = ["/etc/*", "*shadow", "*/a*", "/tmp/?", "*", "/e?c/[s]*", "/etc/sh*w"];
const NUMBERS = ["0", "1", "-1", "2", "3", "4", "5", "64", "-2", "1024", "4097"];

/** Rules in one text, from one to `most`. */
export function rulesByChance(chance: Chance, most: number): string {
  const count = 1 + chance.below(most);
  return Array.from(
    { length: count },
    (_, index) =>
      ruleText(`r${index}`, JSON.stringify(sieveCondition(chance, 3)), {
        output: '"%evt.num %evt.type %fd.name %fd.num %fd.type %proc.name %evt.args"',
      }),
  ).join("");
}

/** A condition of at most `depth` levels. */
export function sieveCondition(chance: Chance, depth: number): string {
  const kind = depth <= 0 ? 5 : chance.below(7);
  if (kind < 3) {
    const word = kind === 0 ? " or " : " and ";
    const parts = Array.from(
      { length: 2 + chance.below(3) },
      () => sieveCondition(chance, depth - 1),
    );
    return `(${parts.join(word)})`;
  }
  return kind === 3 ? `not ${sieveCondition(chance, depth - 1)}` : check(chance);
}

function check(chance: Chance): string {
  const field = chance.of(NAME_FIELDS);
  switch (chance.below(12)) {
    case 0:
      return `evt.type in (${chance.some(TYPES, 3).join(", ")})`;
    case 1:
    case 2:
      return `${chance.of(NUMBER_FIELDS)} ${chance.of(["=", "!=", "<", "<=", ">", ">="])} ${
        chance.of(NUMBERS)
      }`;
    case 3:
      return `${chance.of(NUMBER_FIELDS)} in (${chance.some(NUMBERS, 3).join(", ")})`;
    case 4:
      return `${chance.of(FLAG_FIELDS)} ${chance.of(["=", "!="])} ${chance.of(["true", "false"])}`;
    case 5:
      return chance.of([
        "evt.res = SUCCESS",
        "evt.res != SUCCESS",
        "evt.res = ENOENT",
        "fd.type = file",
        "fd.type = directory",
        "fd.type in (ipv4, file)",
        "fd.typechar = f",
        "fd.typechar != d",
        "fd.typechar = 4",
        "evt.dir = <",
        "fd.name exists",
        "fd.num exists",
        "fd.name_changed = true",
        "evt.type startswith open",
        "evt.num = 0",
        "evt.num in (0, 1)",
        "evt.arg.flags contains O_TRUNC",
        "evt.arg.flags contains O_",
        "evt.arg.mode contains S_IXUSR",
        "evt.arg.mode contains S_IX",
        "evt.arg.mode contains S_ISUID",
        "proc.name in (b, sh)",
        "proc.exe = b",
        "container.id = host",
      ]);
    case 6:
      return `${field} in (${chance.some(WORDS, 4).map(quote).join(", ")})`;
    case 7:
      return `${field} pmatch (${chance.some([...WORDS, ...GLOBS], 3).map(quote).join(", ")})`;
    case 8:
      return `${field} ${chance.of(["glob", "iglob"])} ${quote(chance.of(GLOBS))}`;
    case 9:
      return `${field} ${chance.of(["contains anyof", "startswith oneof", "endswith allof"])} (${
        chance.some(WORDS.filter((word) => word !== ""), 3).map(quote).join(", ")
      })`;
    default: {
      const operator = chance.of([
        "=",
        "!=",
        "contains",
        "icontains",
        "startswith",
        "startswith",
        "endswith",
        "regex",
      ]);
      const word = chance.of(WORDS);
      return `${field} ${operator} ${
        quote(operator === "regex" ? word.replace(/[.<>]/g, "") : word)
      }`;
    }
  }
}

function quote(word: string): string {
  return `'${word}'`;
}

export interface ChanceEvent {
  readonly id: string;
  readonly tid: number;
  readonly params: Readonly<Record<string, ParamValue>>;
}

/** A path, some of them relative, some to be folded, some odd. */
export function pathByChance(chance: Chance): string {
  if (chance.below(3) === 0) return chance.of(WORDS);
  const parts = chance.some(PARTS, 4);
  return parts.join(chance.of(["", "/", ""]));
}

const OPEN_FLAGS = [
  0,
  1,
  2,
  3,
  4,
  5,
  1 << 8 | 2,
  1 << 10 | 1,
  1 << 12 | 1,
  1 << 13 | 3,
  1 << 14 | 7,
];
export const DESCRIPTORS = [3, 4, 5, 6];
export const TIDS = [10, 11, 12, 13];

/** An event of those that the sieve looks into, and of a few others. */
export function eventByChance(chance: Chance): ChanceEvent {
  const tid = chance.of(TIDS);
  const fd = chance.of(DESCRIPTORS);
  const res = chance.below(5) === 0 ? chance.of([-1, -2, -13]) : chance.of(DESCRIPTORS);
  const dirfd = chance.below(2) === 0 ? -100 : chance.of(DESCRIPTORS);
  const name = pathByChance(chance);
  const flags = chance.of(OPEN_FLAGS);
  const mode = chance.of([0, 0o111, 0o644, 0o4755]);
  const file = { flags, mode, dev: 1, ino: chance.below(99) };
  const done = chance.of([0, 0, 0, -2]);
  const make = (id: string, params: ChanceEvent["params"]) => ({ id, tid, params });
  switch (chance.below(24)) {
    case 0:
      return make("SYSCALL_OPEN_X", { fd: res, name, ...file });
    case 1:
      return make("SYSCALL_OPENAT2_X", { fd: res, dirfd, name, ...file, resolve: 0 });
    case 2:
      return make("SYSCALL_CREAT_X", { fd: res, name, mode, dev: 1, ino: 2, creat_flags: 0 });
    case 3:
    case 4:
    case 5:
      return make("SYSCALL_CLOSE_X", { res: chance.of([0, 0, 0, -9]), fd });
    case 6:
      return make("SYSCALL_FCNTL_X", {
        res,
        fd,
        cmd: chance.of([1, 2, 3, 4, 26]),
        arg: chance.below(2),
      });
    case 7:
      return make("SYSCALL_DUP_1_X", { res, oldfd: fd });
    case 8:
      return make("SYSCALL_DUP2_X", { res, oldfd: fd, newfd: chance.of(DESCRIPTORS) });
    case 9:
      return make("SYSCALL_UNLINK_2_X", { res: done, path: name });
    case 10:
      return make("SYSCALL_UNLINKAT_2_X", { res: done, dirfd, name, flags: 0 });
    case 11:
      return make("SYSCALL_RENAMEAT_X", {
        res: done,
        olddirfd: dirfd,
        oldpath: name,
        newdirfd: -100,
        newpath: pathByChance(chance),
      });
    case 12:
      return make("SYSCALL_SYMLINK_X", { res: done, target: name, linkpath: pathByChance(chance) });
    case 13:
      return make("SYSCALL_CHDIR_X", { res: done, path: `/${name}` });
    case 14:
      return make("SYSCALL_WRITE_X", { res, fd, data: new Uint8Array(2), size: 2 });
    case 15:
      return make("SYSCALL_READ_X", { res, fd, data: new Uint8Array(2), size: 2 });
    case 16:
      return make("SYSCALL_FCHMOD_X", { res: done, fd, mode });
    case 17:
      return make("SYSCALL_CHMOD_X", { res: done, filename: name, mode });
    case 18:
      return make("SOCKET_SOCKET_X", {
        fd: chance.of(DESCRIPTORS),
        domain: 2,
        type: 1,
        proto: 6,
        flags: 0,
      });
    case 19:
      return make("SYSCALL_GETUID_X", { uid: 0 });
    default:
      return make("SYSCALL_OPENAT_2_X", { fd: res, dirfd, name, ...file });
  }
}
