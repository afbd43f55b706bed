import { deepEqual, equal, match } from "node:assert/strict";

const LIBRARY = new URL("toolchain.sh", import.meta.url).pathname;
const PLACELESS = new URL("placeless/rustc", import.meta.url).pathname;
const CUT = new URL("cut_denort.py", import.meta.url).pathname;

/** Runs a piece of bash behind the library; returns what it printed and how it ended. */
async function bash(
  script: string,
  env: Record<string, string> = {},
): Promise<{ out: string; err: string; code: number }> {
  const { stdout, stderr, code } = await new Deno.Command("bash", {
    args: ["-euo", "pipefail", "-c", `. "$0"; ${script}`, LIBRARY],
    env,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trimEnd();
  return { out: text(stdout), err: text(stderr), code };
}

async function withDirectory(use: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempDir();
  try {
    await use(path);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

/** A directory that looks like a Rust installation of this version. */
async function fakeRust(dir: string, version: string, llvm: string): Promise<void> {
  const about = `rustc ${version}\nrelease: ${version}\nLLVM version: ${llvm}`;
  const script = `#!/bin/sh\ncase $1 in -vV) echo "${about}";; *) echo ${dir};; esac\n`;
  for (const name of ["rustc", "cargo"]) {
    await Deno.writeTextFile(`${dir}/${name}`, script, { mode: 0o755 });
  }
}

Deno.test("versions are compared by number, not by letter", async () => {
  equal((await bash("version_at_least 1.100.0 1.88 && echo yes")).out, "yes");
  equal((await bash("version_at_least 1.88 1.88 && echo yes")).out, "yes");
  equal((await bash("version_at_least 1.9.2 1.88 || echo no")).out, "no");
});

Deno.test("a failure is one line on standard error and exit code 1", async () => {
  const { out, err, code } = await bash('fail "Cannot fetch" "it"; echo never');
  equal(out, "");
  equal(err, "saker: Cannot fetch it");
  equal(code, 1);
});

Deno.test("a quiet command is heard only where it fails", async () => {
  equal((await bash("quietly echo fine")).err, "");
  const { err, code } = await bash("quietly sh -c 'echo broken; exit 3'");
  equal(err, "broken");
  equal(code, 1);
});

Deno.test("a stamp holds for its version alone", async () => {
  await withDirectory(async (path) => {
    const script = 'stamp deno "1 abc"; is_stamped deno "1 abc" && echo set; ' +
      'is_stamped deno "2 abc" || echo other';
    equal((await bash(script, { SAKER_CACHE: path })).out, "set\nother");
  });
});

Deno.test("a checksum that differs is refused, as is a file that is not there", async () => {
  await withDirectory(async (path) => {
    await Deno.writeTextFile(`${path}/file`, "saker");
    const sum = "3cf1e01bdde10ee84d9ae06a2c6b43dba0c3b9b7f2e2c4c4c5b0a7f3b7c8d9e0";
    const right =
      `has_sha256 ${path}/file "$(sha256sum ${path}/file | cut -d' ' -f1)" && echo right`;
    equal((await bash(right)).out, "right");
    equal((await bash(`has_sha256 ${path}/file ${sum} || echo wrong`)).out, "wrong");
    equal((await bash(`has_sha256 ${path}/none ${sum} || echo none`)).out, "none");
  });
});

Deno.test("what is wrong with a Rust is said", async () => {
  await withDirectory(async (path) => {
    const defect = async () => (await bash(`rust_defect ${path}`)).out;
    match(await defect(), /^no rustc and cargo in /);
    await fakeRust(path, "1.63.0", "14.0.6");
    match(await defect(), /rustc is 1\.63\.0, at least 1\.88 is needed$/);
    await fakeRust(path, "1.99.0", "23.1.0");
    match(await defect(), /rustc writes LLVM 23, bpf-linker reads up to 22$/);
    await fakeRust(path, "1.96.0", "22.1.0");
    match(await defect(), /without the source of its libraries \(rust-src\)$/);
    await Deno.mkdir(`${path}/lib/rustlib/src/rust/library/core`, { recursive: true });
    equal(await defect(), "");
  });
});

Deno.test("denort ends where the section header table of its ELF file ends", async () => {
  await withDirectory(async (path) => {
    const program = new Uint8Array(500).map((_, index) => index);
    program.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
    const view = new DataView(program.buffer);
    view.setBigUint64(0x28, 200n, true);
    view.setUint16(0x3a, 64, true);
    view.setUint16(0x3c, 3, true);
    await Deno.writeFile(`${path}/tool`, program);
    const zip =
      "import sys, zipfile; zipfile.ZipFile(sys.argv[1], 'w').write(sys.argv[2], 'x/tool')";
    const python = (...args: string[]) => new Deno.Command("python3", { args }).output();
    equal((await python("-c", zip, `${path}/w.whl`, `${path}/tool`)).code, 0);
    equal((await python(CUT, `${path}/w.whl`, "tool", `${path}/cut`)).code, 0);
    equal((await Deno.readFile(`${path}/cut`)).length, 200 + 3 * 64);
    const { code, stderr } = await python(CUT, `${path}/w.whl`, "other", `${path}/cut`);
    equal(code, 1);
    match(new TextDecoder().decode(stderr), /holds 0 files called other, not one/);
  });
});

Deno.test("a clone that compiles after another has all its files compiled anew", async () => {
  await withDirectory(async (path) => {
    const clone = async (name: string) => {
      for (const folder of ["scripts/lib", "probe-rs", "bindings-rs", "ebpf-rs", "kmod"]) {
        await Deno.mkdir(`${path}/${name}/${folder}`, { recursive: true });
      }
      await Deno.copyFile(LIBRARY, `${path}/${name}/scripts/lib/toolchain.sh`);
      await Deno.writeTextFile(`${path}/${name}/probe-rs/lib.rs`, "");
    };
    /** Whether claiming the compiled crates for a clone made its old file new. */
    const touches = async (name: string) => {
      const file = `${path}/${name}/probe-rs/lib.rs`;
      await Deno.utime(file, 1000, 1000);
      const { code } = await new Deno.Command("bash", {
        args: ["-euc", '. "$0"; claim_target', `${path}/${name}/scripts/lib/toolchain.sh`],
        env: { SAKER_CACHE: `${path}/cache`, SAKER_TARGET: "", SAKER_TARGET_CLAIMED: "" },
      }).output();
      equal(code, 0);
      return (await Deno.stat(file)).mtime!.getTime() > 1_000_000;
    };
    await clone("one");
    await clone("other");
    equal(await touches("one"), true);
    equal(await touches("one"), false);
    equal(await touches("other"), true);
    equal(await touches("one"), true);
  });
});

Deno.test("what is shipped is compiled under names that hold for every clone", async () => {
  const compile = async (env: Record<string, string>) => {
    const { success, stdout } = await new Deno.Command(PLACELESS, {
      args: ["--crate-name", "x", "-C", "metadata=0123456789abcdef"],
      env: {
        SAKER_RUSTC: "/bin/echo",
        SAKER_SOURCES: "/a/clone",
        SAKER_LIBRARIES: "/libs",
        ...env,
      },
    }).output();
    equal(success, true);
    return new TextDecoder().decode(stdout).trim().split(" ").slice(3);
  };
  const own = { CARGO_PKG_NAME: "probe", CARGO_PKG_VERSION: "0.1.0", OUT_DIR: "/t/probe-12/out" };
  deepEqual(await compile({ ...own, CARGO_MANIFEST_DIR: "/a/clone/probe-rs" }), [
    "metadata=probe-0.1.0",
    ...["/libs=/rust", "/a/clone=/saker", "/t/probe-12/out=/made/probe"].map(remapped),
  ]);
  const others = { CARGO_MANIFEST_DIR: "/home/x/.cargo/registry/src/index-12/aya-0.14.0" };
  deepEqual(await compile(others), [
    "metadata=0123456789abcdef",
    ...["/libs=/rust", "/home/x/.cargo/registry/src/index-12=/crates", "/a/clone=/saker"]
      .map(remapped),
  ]);
});

function remapped(place: string): string {
  return `--remap-path-prefix=${place}`;
}
