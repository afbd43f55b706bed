// What is packed comes out of cpio as it went in.
import { deepStrictEqual, strictEqual } from "node:assert";
import { existsSync } from "node:fs";
import { archive } from "./archive.ts";
import { MARKED_FILES } from "./entries.ts";
import { guestOf } from "./guest.ts";

Deno.test({
  name: "cpio unpacks an archive as it was packed",
  ignore: !["/usr/bin/cpio", "/bin/cpio"].some((path) => existsSync(path)),
  async fn() {
    const directory = Deno.makeTempDirSync();
    try {
      const bytes = new TextEncoder().encode("hello\n");
      const packed = archive([
        { path: "empty" },
        { path: "a/b/file", bytes },
        { path: "a/link", link: "b/file" },
      ]);
      const child = new Deno.Command("cpio", {
        args: ["-i", "--quiet"],
        cwd: directory,
        stdin: "piped",
      }).spawn();
      const writer = child.stdin.getWriter();
      await writer.write(packed);
      await writer.close();
      strictEqual((await child.status).code, 0);
      deepStrictEqual(Deno.readFileSync(`${directory}/a/link`), bytes);
      strictEqual(Deno.statSync(`${directory}/a/b/file`).mode! & 0o777, 0o755);
      strictEqual(Deno.statSync(`${directory}/empty`).isDirectory, true);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  },
});

const OUTPUT = `BIOS
== kernel 6.1.0-1-amd64 1.0
== tests 1.5

running 2 tests
test live_test::files::opens ... ok
test live_test::names::renames ... FAILED

failures:

---- live_test::names::renames stdout ----
it was otherwise

failures:
    live_test::names::renames

test result: FAILED. 1 passed; 1 failed
== doctor 9.0
{"well":true,"findings":[{"verdict":"ok","text":"89 of 90 probe programs attached"},` +
  `{"verdict":"note","text":"  symlinkat: this kernel refuses it"}]}
== watch 12.0
== watched 0 20.0
{"rule":"A marked file is read"}
{"rule":"A marked program is started"}
{"output_fields":{"fd.name":"/etc/marked-without-a-cpu"}}
{"output_fields":{"fd.name":"/etc/marked-on-it-again"}}
{"output_fields":{"fd.name":"/etc/marked-in-the-past"}}
{"output_fields":{"fd.name":"/etc/marked-in-the-future"}}
== end 21.0
`;

Deno.test("of a guest's output goes out what passed, what failed and what was refused", () => {
  const guest = guestOf(OUTPUT);
  strictEqual(guest.kernel, "6.1.0-1-amd64");
  strictEqual(guest.programs, "89 of 90");
  deepStrictEqual(guest.refused, ["symlinkat: this kernel refuses it"]);
  deepStrictEqual(guest.failures, [{
    what: "live_test::names::renames",
    why: "it was otherwise",
  }]);
  strictEqual(guest.passed.length, 11);
});

Deno.test("a guest that stops in the middle has failed", () => {
  const cut = OUTPUT.slice(0, OUTPUT.indexOf("== doctor"));
  const failed = guestOf(cut).failures.map(({ what }) => what);
  deepStrictEqual(failed.slice(1), [
    "saker doctor finds all well",
    "saker alerts: A marked file is read",
    "saker alerts: A marked program is started",
    ...MARKED_FILES.slice(1).map((file) => `saker alerts: ${file}`),
    "saker ends well",
    "the guest ends",
  ]);
});
