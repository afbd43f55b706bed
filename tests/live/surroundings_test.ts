// Odd but legal surroundings of the built file: what the runtime cannot bear is put right before it
// begins, or told in one line; its own variables have no effect.
import { assertEquals, assertIncludes } from "./expect.ts";
import { writeCapture } from "../capture_file.ts";
import { eventually, freePort, runSaker, SAKER, Saker } from "./saker.ts";
import { has, isRoot, ownMounts, Place, python, type Ran, run, shell } from "./trigger.ts";

/** Runs saker behind a line of shell, such as one that sets a limit. */
function behind(line: string, ...args: string[]): Promise<Ran> {
  return run("sh", ["-c", `${line} && exec "$0" "$@"`, SAKER, ...args]);
}

function checkOneLine({ code, stderr, stdout }: Ran, part: string): void {
  assertEquals([code, stdout], [1, ""], stderr);
  assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
  assertIncludes(stderr, "Error: ");
  assertIncludes(stderr, part);
}

Deno.test("limits that are too small are told in one line, larger ones are borne", async () => {
  checkOneLine(await behind("ulimit -v 4000000", "--version"), "ulimit -v");
  checkOneLine(await behind("ulimit -n 20", "--version"), "ulimit -n");
  for (const line of ["ulimit -Ss 64", "ulimit -s 1024", "ulimit -Sn 40"]) {
    const { code, stderr, stdout } = await behind(line, "--version");
    assertEquals(code, 0, `${line}: ${stderr}`);
    assertIncludes(stdout, "saker version");
  }
});

Deno.test("a hard limit of the stack is told in one line", async () => {
  const dropped = "setpriv --bounding-set -sys_resource --inh-caps -sys_resource";
  if (!isRoot() || !has("setpriv")) return;
  checkOneLine(await run("sh", ["-c", `ulimit -s 64 && exec ${dropped} "$0"`, SAKER]), "ulimit -s");
});

Deno.test("the soft limit of open files is raised to the hard one", {
  ignore: !isRoot(),
}, async () => {
  await using place = new Place();
  await using saker = await Saker.start([place.marker], {
    through: ["sh", "-c", 'ulimit -Sn 256 && exec "$0" "$@"'],
  });
  const limits = await Deno.readTextFile(`/proc/${saker.pid}/limits`);
  const [, soft, hard] = /^Max open files +(\S+) +(\S+)/m.exec(limits)!;
  assertEquals(soft, hard);
});

Deno.test("a working directory that is gone, or whose name is no UTF-8, is borne", async () => {
  await using place = new Place();
  const gone = `mkdir ${place.path}/gone && cd ${place.path}/gone && rmdir ${place.path}/gone`;
  assertIncludes((await behind(gone, "--version")).stdout, "saker version");
  const missing = await behind(gone, "-V", "etc/passwd");
  assertEquals(missing.code, 1);
  assertIncludes(missing.stderr, "etc/passwd");
  assertEquals((await behind(gone, "-V", `${place.path}/../../dev/null`)).code, 1);
  const odd = `mkdir "$(printf '${place.path}/\\377')" && cd "$(printf '${place.path}/\\377')"`;
  assertIncludes((await behind(odd, "--version")).stdout, "saker version");
});

Deno.test("a working directory that is not below the root is borne", {
  ignore: !isRoot(),
}, async () => {
  await using place = new Place();
  const below = `${place.path}/below`;
  const unmounted = `mkdir -p ${below} && mount -t tmpfs none ${below} && cd ${below} && ` +
    `umount -l ${below} && exec "$0" "$@"`;
  const args = [...await ownMounts(), "sh", "-c", unmounted, SAKER];
  const { code, stderr, stdout } = await run("unshare", [...args, "--version"]);
  assertEquals([code, stderr], [0, ""]);
  assertIncludes(stdout, "saker version");
  const missing = await run("unshare", [...args, "-V", "etc/passwd"]);
  assertEquals(missing.code, 1);
  assertIncludes(missing.stderr, "etc/passwd");
});

Deno.test("arguments that are no UTF-8 open the files that they name", async () => {
  await using place = new Place();
  const text = "[{rule: r, desc: d, condition: evt.type = open, output: o, priority: INFO}]\n";
  const program = `
import os, subprocess, sys
_, saker, place, text = sys.argv[1:]
name = os.fsencode(place) + b"/r\\xff.yaml"
with open(name, "w") as file: file.write(text)
bad = [b"-V", b"none\\xff"], [b"\\xff"], [b"-o", b"a\\xff"]
for args in ([b"-V", name], [b"--validate=" + name], *bad):
    done = subprocess.run([os.fsencode(saker), *args], capture_output=True)
    print(done.returncode, (done.stdout + done.stderr).count(b"\\n"), b"panicked" in done.stderr)
`;
  const { stdout, stderr } = await python(place.marker, program, [SAKER, place.path, text]);
  const lines = stdout.trim().split("\n");
  assertEquals(lines.slice(0, 2), ["0 1 False", "0 1 False"], stderr);
  assertEquals(lines.slice(2), ["1 1 False", "1 1 False", "1 1 False"], stderr);
});

Deno.test("files to be written may have names that are no UTF-8", async () => {
  await using place = new Place();
  writeCapture(place.file("given.scap"), [{ path: "/secret/key" }, { path: "/secret/other" }]);
  await Deno.writeTextFile(
    place.file("rules.yaml"),
    "[{rule: Odd names test, desc: d, condition: evt.type = openat, output: Opened %fd.name, " +
      "priority: INFO, capture: true}]\n",
  );
  const program = String.raw`
import os, subprocess, sys
_, saker, place = (os.fsencode(word) for word in sys.argv[1:])
def run(*words):
    done = subprocess.run([saker, *words], capture_output=True)
    return done.returncode, done.stderr.decode().strip().split("\n")[-1]
def size(name): return os.stat(place + name).st_size
given, rules = place + b"/given.scap", [b"-r", place + b"/rules.yaml"]
recorded = place + b"/r\xff.scap"
print(run(b"record", recorded, b"--read", given)[0], size(b"/r\xff.scap") > 100)
print("--force overwrites it" in run(b"record", recorded, b"--read", given)[1])
row = [b"--force", b"--files", b"2", b"--file-size", b"1"]
print(run(b"record", recorded, b"--read", given, *row)[0])
print(size(b"/r\xff_00001.scap") > 100, run(*rules, b"replay", recorded)[0])
prefix = b"capture.path_prefix=" + place + b"/c\xfe"
run(*rules, b"-o", b"capture.enabled=true", b"-o", prefix, b"replay", given)
print(sorted(name for name in os.listdir(place) if name.startswith(b"c"))[0][:12])
with open(place + b"/falco.yaml", "wb") as file:
    file.write(b"file_output: {enabled: true, filename: " + place + b"/alerts\xfd}\n")
print(run(*rules, b"-c", place + b"/falco.yaml", b"replay", given)[0], size(b"/alerts\xfd") > 0)
one = size(b"/alerts\xfd")
path = b"file_output.filename=" + place + b"/alerts\xfd"
print(run(*rules, b"-o", b"file_output.enabled=true", b"-o", path, b"replay", given)[0])
print(size(b"/alerts\xfd") == 2 * one)
`;
  const { stdout, stderr } = await python(place.marker, program, [SAKER, place.path]);
  assertEquals(
    stdout,
    "0 True\nTrue\n0\nTrue 0\nb'c\\xfe_017000000'\n0 True\n0\nTrue\n",
    stderr,
  );
});

Deno.test("variables whose values are no text, or no place, are borne or told", async () => {
  await using place = new Place();
  const program = `
import os, subprocess, sys
saker = os.fsencode(sys.argv[2])
borne = [b"TMPDIR=a\\xff", b"TMPDIR=a", b"TMPDIR=", b"TERM=\\xff", b"NO_COLOR=\\xff", b"HOME=\\xff"]
for variable in borne + [b"TZ=\\xff", b"LC_ALL=\\xff", b"FOO=\\xff", b"HOST_ROOT=\\xff"]:
    name, value = variable.split(b"=")
    arguments = [b"doctor"] if name == b"HOST_ROOT" else [b"-V", b"/nowhere"]
    done = subprocess.run([saker, *arguments], capture_output=True, env={name: value})
    told = (done.stdout + done.stderr).decode()
    print(done.returncode, told.count("\\n"), told.strip())
`;
  const { stdout } = await python(place.marker, program, [SAKER]);
  const lines = stdout.trim().split("\n");
  const last = lines.pop()!;
  assertEquals(lines.length, 9, stdout);
  for (const line of lines) {
    assertEquals(line, "1 1 Error: Cannot find the rules file or directory /nowhere (-V)");
  }
  assertEquals(last, "1 1 Error: The environment variable HOST_ROOT is no UTF-8: expected text");
});

Deno.test("a host without /proc is told in one line", { ignore: !isRoot() }, async () => {
  const hide = `umount -l /proc && exec "$0" --version`;
  const ending = await run("unshare", [...await ownMounts(), "/bin/sh", "-c", hide, SAKER]);
  checkOneLine(ending, "/proc");
});

Deno.test("variables of the runtime change nothing, and are not seen", async () => {
  await using place = new Place();
  const env = {
    DENO_SERVE_ADDRESS: `tcp:0.0.0.0:${freePort()}`,
    DENO_LOG: "trace",
    DENO_TLS_CA_STORE: "nonsense",
    DENO_CERT: "/nowhere.pem",
    DENO_NO_FILTER_FRAMES: "1",
    DENO_TRACE_PERMISSIONS: "1",
    DENO_V8_FLAGS: "--help",
    NODE_OPTIONS: "--max-old-space-size=1",
    NODE_DEBUG: "fs,net,http",
    NODE_CHANNEL_FD: "1",
    NODE_V8_COVERAGE: place.path,
    OTEL_DENO: "true",
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1",
    RUST_LOG: "trace",
    RUST_BACKTRACE: "full",
    RUST_MIN_STACK: "1",
    FORCE_COLOR: "3",
    TOKIO_WORKER_THREADS: "1000",
  };
  const plain = await runSaker(["-V", "/nowhere.yaml"]);
  assertEquals(await runSaker(["-V", "/nowhere.yaml"], { env }), plain);
  const file = place.file("conf.yaml");
  await Deno.writeTextFile(file, "priority: ${DENO_PRIORITY}${NODE_NAME}\n");
  const named = await runSaker(["-c", file, "-L"], {
    env: { DENO_PRIORITY: "nonsense", NODE_NAME: "debug" },
  });
  assertEquals([named.code, named.stderr], [0, ""]);
  assertEquals([...Deno.readDirSync(place.path)].map(({ name }) => name), ["conf.yaml"]);
});

Deno.test("a file that may not grow is an error of its output, not the end", {
  ignore: !isRoot(),
}, async () => {
  await using place = new Place();
  const file = place.file("alerts");
  await Deno.writeTextFile(file, "");
  await Deno.truncate(file, 16 << 20);
  // Any alert of this host is lost as well, so it is never quite well.
  await using saker = Saker.launch([place.marker], {
    args: ["-o", `file_output={enabled: true, filename: ${file}}`],
    // In units of 512 bytes: the file has all that it may have.
    through: ["sh", "-c", 'ulimit -f 32768 && exec "$0" "$@"'],
  });
  await eventually("it to watch", () => saker.told.includes("is watching") || undefined);
  await shell(place.marker, "exec 3< /etc/shadow");
  await saker.alert("Sensitive file read by an untrusted program", place.marker);
  await eventually("the loss to be told", async () => {
    const health = await saker.health();
    return health?.body.status === "failing" ? true : undefined;
  });
  assertIncludes(saker.told, "it may not become larger (ulimit -f)");
  assertEquals((await saker.stop()).code, 0);
});
