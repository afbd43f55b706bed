// What guests' archives have. Any of them: busybox with its applets, the built saker with the
// libraries that it needs, two programs, names of a host; most of them what is watched, and tests.
import { existsSync } from "node:fs";
import type { Entry } from "./archive.ts";

const encoder = new TextEncoder();

export function file(path: string, from: string): Entry {
  return { path, bytes: Deno.readFileSync(from) };
}

export function text(path: string, of: string): Entry {
  return { path, bytes: encoder.encode(of) };
}

/** What is read: while all is as it was at the start, without a CPU, on the CPU that is back, after
 * the clock was set back, and forward. */
export const MARKED_FILES = [
  ...["/etc/marked", "/etc/marked-without-a-cpu", "/etc/marked-on-it-again"],
  ...["/etc/marked-in-the-past", "/etc/marked-in-the-future"],
];

const RULES = `
- rule: A marked file is read
  desc: By any program.
  condition: evt.type in (open, openat, openat2) and fd.name startswith /etc/marked
  output: "%proc.name %fd.name"
  priority: WARNING
- rule: A marked program is started
  desc: By anybody.
  condition: evt.type in (execve, execveat) and proc.exepath = /bin/marked-program
  output: "%proc.exepath"
  priority: WARNING
`;

/** What guests watch with, and what its rules are about. */
export function watchEntries(): Entry[] {
  return [
    text("rules.yaml", RULES),
    ...MARKED_FILES.map((path) => text(path.slice(1), "marked\n")),
  ];
}

/** Tests of drivers that say nothing of a kernel: floods, which a guest without KVM takes minutes
 * for. */
export const FLOODS = ["one_process_cannot_push_another_out", "flood_of_benign_opens"];

/** The tests of drivers, and what they look for where they were built. */
export function testEntries(here: string): Entry[] {
  const tests = Deno.env.get("SAKER_TEST_BINARY")!;
  return [
    file("tests", tests),
    ...libraryEntries(tests),
    { path: `${here.slice(1)}bindings-rs` },
  ];
}

export function sakerEntries(tools: string, saker: string): Entry[] {
  const busybox = `${tools}/busybox/bin/busybox`;
  const applets = new TextDecoder()
    .decode(new Deno.Command(busybox, { args: ["--list"] }).outputSync().stdout)
    .split("\n").filter((name) => name !== "" && name !== "busybox" && name !== "true");
  return [
    ...["proc", "sys", "dev", "tmp", "run", "root"].map((path) => ({ path })),
    file("begin.sh", new URL("./begin.sh", import.meta.url).pathname),
    file("bin/busybox", busybox),
    ...applets.map((name) => ({ path: `bin/${name}`, link: "busybox" })),
    file("bin/true", "/bin/true"),
    file("bin/marked-program", "/bin/true"),
    file("bin/saker", saker),
    text("etc/hostname", "guest\n"),
    text("etc/hosts", "127.0.0.1 localhost\n"),
    text("etc/passwd", "root:x:0:0::/root:/bin/sh\n"),
    text("etc/group", "root:x:0:\n"),
    ...libraryEntries(saker),
  ];
}

/** The shared libraries of a program, as the loader of this host finds them. */
export function libraryEntries(program: string): Entry[] {
  const { stdout } = new Deno.Command("ldd", { args: [program] }).outputSync();
  return [...new TextDecoder().decode(stdout).matchAll(/(\/[^ ]+) \(0x/g)]
    .map(([, path]) => path!).filter((path) => existsSync(path))
    .map((path) => ({ path: path.slice(1), bytes: Deno.readFileSync(path) }));
}
