// `saker driver` by the built binary, with headers of the test's own: what needs a kernel that
// takes modules is tried in guests (scripts/module.ts).
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { runSaker } from "./saker.ts";
import { isRoot } from "./trigger.ts";

const MAKEFILE = `modules:
\t@echo "  CC [M]  $(M)/glue.o"
\t@test -s $(M)/Kbuild && test -s $(M)/core.o_shipped
\t@echo int a\\; | $(CC) -xc -c -o $(M)/saker.ko -
`;

/** As the headers of a kernel lie. */
function headers(release: string, makefile = MAKEFILE): string {
  const directory = Deno.makeTempDirSync();
  Deno.mkdirSync(`${directory}/include/generated`, { recursive: true });
  Deno.writeTextFileSync(`${directory}/Makefile`, makefile);
  Deno.writeTextFileSync(`${directory}/.config`, "CONFIG_MODULES=y\nCONFIG_CC_IS_GCC=y\n");
  Deno.writeTextFileSync(
    `${directory}/include/generated/utsrelease.h`,
    `#define UTS_RELEASE "${release}"\n`,
  );
  return directory;
}

/** What scripts/build puts into the executable. */
const CARRIES_MODULE = (() => {
  try {
    return Deno.statSync(new URL("../../dist/embed/kmod/core.o_shipped", import.meta.url)).isFile;
  } catch {
    return false;
  }
})();

function takesModules(): boolean {
  try {
    Deno.statSync("/proc/modules");
    return true;
  } catch {
    return false;
  }
}

Deno.test({
  name: "saker driver build compiles what the executable carries, silent in a pipe",
  ignore: !CARRIES_MODULE,
  async fn() {
    const directory = headers("6.1.0-1-test");
    const output = `${directory}/out.ko`;
    const args = ["driver", "build", "--headers", directory, "--output", output];
    const { code, stdout, stderr } = await runSaker(args);
    assertEquals(
      [code, stdout, stderr],
      [0, `The kernel module for 6.1.0-1-test is built: ${output}\n`, ""],
    );
    assert(Deno.statSync(output).size > 0);
    Deno.removeSync(directory, { recursive: true });
  },
});

Deno.test({
  name: "saker driver build says in one line why it cannot",
  ignore: !CARRIES_MODULE,
  async fn() {
    const directory = headers(
      "6.1.0-1-test",
      "modules:\n\t@echo 'glue.c:3:1: error: no' >&2; false\n",
    );
    const output = `${directory}/out.ko`;
    const refused = async (args: readonly string[], expected: string) => {
      const { code, stdout, stderr } = await runSaker(["driver", "build", ...args]);
      assertEquals([code, stdout], [1, ""]);
      assertIncludes(stderr, expected);
      assertEquals(stderr.split("\n").length, 2);
    };
    await refused(
      ["--headers", directory, "--output", output],
      "Error: Cannot build the kernel module for 6.1.0-1-test: glue.c:3:1: error: no\n",
    );
    await refused(
      ["--headers", directory, "--kernel", "6.1.0-2-test", "--output", output],
      "holds the headers of kernel 6.1.0-1-test, not 6.1.0-2-test",
    );
    await refused(["--kernel", "6.1.0-3-test"], "there are no headers of kernel 6.1.0-3-test");
    await refused(
      ["--headers", directory, "--sign-key", output],
      "--sign-key and --sign-cert: one is nothing without",
    );
    Deno.removeSync(directory, { recursive: true });
  },
});

Deno.test({
  name: "a kernel without modules is told, whatever is asked",
  ignore: takesModules() || !isRoot(),
  async fn() {
    const why = "this kernel takes no modules: it was built without CONFIG_MODULES";
    for (const args of [["driver", "load"], ["driver", "build"], ["-o", "engine.kind=kmod"]]) {
      const { code, stdout, stderr } = await runSaker(args);
      assertEquals([code, stdout], [1, ""]);
      assertIncludes(stderr, why);
    }
    const { code, stdout } = await runSaker(["driver", "status", "--json"]);
    const { loaded, hindrance } = JSON.parse(stdout) as { loaded: boolean; hindrance: string };
    assertEquals([code, loaded, hindrance], [1, false, why]);
    const doctor = await runSaker(["doctor"]);
    assertIncludes(doctor.stdout, `the kernel module (kmod) cannot be had (${why})`);
    assertIncludes(doctor.stdout, "modern_ebpf is best here");
  },
});
