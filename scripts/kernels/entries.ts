// What any guest's archive has: busybox with its applets, the built saker with the libraries that
// it needs, two programs, names of a host.
import { existsSync } from "node:fs";
import type { Entry } from "./archive.ts";

export function sakerEntries(tools: string, saker: string): Entry[] {
  const encoder = new TextEncoder();
  const file = (path: string, from: string): Entry => ({ path, bytes: Deno.readFileSync(from) });
  const text = (path: string, of: string): Entry => ({ path, bytes: encoder.encode(of) });
  const busybox = `${tools}/busybox/bin/busybox`;
  const applets = new TextDecoder()
    .decode(new Deno.Command(busybox, { args: ["--list"] }).outputSync().stdout)
    .split("\n").filter((name) => name !== "" && name !== "busybox" && name !== "true");
  return [
    ...["proc", "sys", "dev", "tmp", "run", "root"].map((path) => ({ path })),
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
