// Completions and the man page as shells and readers of man pages take them: bash, zsh in a
// terminal, fish, mandoc. What they offer is made of the command table, so every command is there.
import { existsSync } from "node:fs";
import { assert, assertEquals, assertIncludes } from "./live/expect.ts";
import { TOOLS } from "./live/runtimes/unpacked.ts";
import { runSaker } from "./live/saker.ts";
import { has, Place, python, run } from "./live/trigger.ts";

const SHELLS = `${TOOLS}/shells`;
const LIBRARIES = `${SHELLS}/usr/lib/x86_64-linux-gnu`;

/** What stands before the cursor, and what is offered there, among others where it ends in `…`. */
const OFFERED: readonly (readonly [line: string, offered: readonly string[]])[] = [
  ["saker rep", ["replay"]],
  ["saker rules ", ["filter", "lint", "test"]],
  ["saker -c /dev/null rec", ["record"]],
  ["saker driver unl", ["unload"]],
  ["saker completions ", ["bash", "fish", "zsh"]],
  ["saker --format j", ["json"]],
  ["saker -c /etc/passw", ["/etc/passwd", "…"]],
  ["saker replay --sec", ["--seconds"]],
  ["saker record --file-", ["--file-seconds", "--file-size"]],
  ["saker install --ro", ["--root"]],
];

function checkOffered(line: string, found: readonly string[], wanted: readonly string[]): void {
  if (wanted.at(-1) !== "…") return assertEquals([...found].sort(), wanted, line);
  for (const one of wanted.slice(0, -1)) assert(found.includes(one), `${line}: no ${one}`);
}

async function script(shell: string): Promise<string> {
  const { code, stdout, stderr } = await runSaker(["completions", shell]);
  assertEquals([code, stderr], [0, ""]);
  return stdout;
}

/** Commands as help lists them. */
async function commands(): Promise<string[]> {
  const { stdout } = await runSaker(["--help"]);
  const names = stdout.split("\nOptions:\n")[0]!.matchAll(/^ {2}([a-z]+)\b/gm);
  return [...new Set([...names].map((match) => match[1]!))].sort();
}

Deno.test("bash completes commands, options and their values", async () => {
  await using place = new Place();
  await Deno.writeTextFile(place.file("saker"), await script("bash"));
  const complete = async (line: string): Promise<string[]> => {
    const words = `. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _saker
printf '%s\\n' "\${COMPREPLY[@]}"`;
    const args = ["--norc", "-c", words, place.file("saker"), ...line.split(" ")];
    const { stdout, stderr } = await run("bash", args);
    assertEquals(stderr, "", line);
    return stdout.trim().split("\n");
  };
  for (const [line, wanted] of OFFERED) checkOffered(line, await complete(line), wanted);
  const all = await commands();
  assert(all.length > 15, all.join());
  assertEquals((await complete("saker ")).sort(), all);
});

Deno.test("fish completes commands, options and their values", {
  ignore: !existsSync(`${SHELLS}/usr/bin/fish`),
}, async () => {
  await using place = new Place();
  await Deno.writeTextFile(place.file("saker.fish"), await script("fish"));
  for (const [line, wanted] of OFFERED) {
    const env = [`LD_LIBRARY_PATH=${LIBRARIES}`, `HOME=${place.path}`];
    const asks = 'source $argv[1]; complete -C "$argv[2]"';
    const fish = [`${SHELLS}/usr/bin/fish`, "--no-config", "-c", asks, "--"];
    const { stdout, stderr } = await run("env", [...env, ...fish, place.file("saker.fish"), line]);
    assertEquals(stderr, "", line);
    const found = stdout.trim().split("\n").map((offered) => offered.split("\t")[0]!);
    checkOffered(line, found, wanted);
  }
});

/** A terminal in which zsh runs; what each line becomes, and what is listed below it. */
const IN_TERMINAL = String.raw`
import json, os, pty, select, sys
_, zsh, home, *lines = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execve(zsh, ["zsh", "-d"], {"TERM": "dumb", "HOME": home, "ZDOTDIR": home, "PATH": "/bin"})
def until(mark):
    seen = ""
    while mark not in seen:
        if not select.select([terminal], [], [], 30)[0]:
            raise SystemExit("waited for %r, saw %r" % (mark, seen))
        seen += os.read(terminal, 65536).decode(errors="replace")
    return seen
until("READY")
told = []
for line in lines:
    os.write(terminal, b"\x15" + line.encode() + b"\x18")
    told.append(until("<DONE>"))
print(json.dumps(told))
os.kill(pid, 9)
`;

Deno.test("zsh completes commands, options and their values", {
  ignore: !existsSync(`${SHELLS}/bin/zsh`),
}, async () => {
  await using place = new Place();
  const functions = `${SHELLS}/usr/share/zsh/functions`;
  await Deno.writeTextFile(place.file("_saker"), await script("zsh"));
  // Control-X lists what there is to choose from, and says when it is done.
  await Deno.writeTextFile(
    place.file(".zshrc"),
    `module_path=(${LIBRARIES}/zsh/5.9)
fpath=(${place.path} ${functions} ${functions}/*(N/) ${functions}/Completion/*(N/))
autoload -U compinit; compinit -u -D
zmodload zsh/complist
LISTMAX=1000
compadd() { builtin compadd "$@"; local -a all; builtin compadd -O all "$@"
  (( $#all )) && print -rl -- $all >>${place.file("offered")} }
listed() { : >${place.file("offered")}; zle list-choices
  print -r -- "<$LBUFFER>" >>${place.file("told")}; cat ${place.file("offered")} >>${
      place.file("told")
    }; zle -M "<DONE>" }
zle -N listed; bindkey '^X' listed
PS1='READY> '
`,
  );
  const lines = OFFERED.map(([line]) => line);
  const { code, stdout, stderr } = await python(place.marker, IN_TERMINAL, [
    ...[`${SHELLS}/bin/zsh`, place.path, ...lines],
  ]);
  assertEquals(code, 0, stdout + stderr);
  const told = await Deno.readTextFile(place.file("told"));
  for (const [line, wanted] of OFFERED) {
    const part = told.split(`<${line}>\n`)[1]?.split("\n<")[0] ?? "";
    const names = part.trim().split("\n").map((name) => name.split(":")[0]!);
    // Names of files are offered without the directory before them.
    checkOffered(line, [...new Set(names)], wanted.map((name) => name.replace("/etc/", "")));
  }
});

Deno.test("completions of another shell are refused in one line", async () => {
  const { code, stdout, stderr } = await runSaker(["completions", "tcsh"]);
  assertEquals([code, stdout], [1, ""]);
  assertEquals(stderr, "Error: completions tcsh: expected one of bash, zsh, fish\n");
});

Deno.test("the man page names every command, and mandoc finds nothing amiss in it", async () => {
  await using place = new Place();
  const { code, stdout, stderr } = await runSaker(["man", "--date", "2026-11-27"]);
  assertEquals([code, stderr], [0, ""]);
  assertEquals(stdout.match(/[^\n -~]+/g), null, "what not every terminal shows");
  for (const name of await commands()) assertIncludes(stdout, `\n.SS saker ${name}`);
  await Deno.writeTextFile(place.file("saker.8"), stdout);
  if (has("man")) {
    // A terminal that shows ASCII alone.
    const args = ["LC_ALL=C", "man", "--local-file", "--warnings", place.file("saker.8")];
    const shown = await run("env", args);
    assertEquals([shown.code, shown.stderr], [0, ""]);
    assertIncludes(shown.stdout, "SAKER(8)");
  }
  const mandoc = `${SHELLS}/usr/bin/mandoc`;
  if (!existsSync(mandoc)) return;
  const lint = await run(mandoc, ["-T", "lint", "-W", "warning", place.file("saker.8")]);
  assertEquals([lint.code, lint.stdout], [0, ""]);
  assertEquals((await runSaker(["man", "--date", "today"])).code, 1);
});
