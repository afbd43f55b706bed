// Headers in a directory of the test's own, as distributions lay them out.
import { deepStrictEqual, match, strictEqual, throws } from "node:assert";
import { dirname } from "node:path";
import { compilerOfRunning, findHeaders, NoHeaders } from "./kernel_headers.ts";

const RELEASE = "6.1.0-49-amd64";
const CONFIG = `CONFIG_MODULES=y
CONFIG_CC_IS_GCC=y
CONFIG_GCC_VERSION=120200
CONFIG_CC_VERSION_TEXT="gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0"
`;

function withRoot(
  files: Readonly<Record<string, string>>,
  act: (root: string) => void,
): void {
  const root = Deno.makeTempDirSync();
  try {
    for (const [path, text] of Object.entries(files)) {
      Deno.mkdirSync(dirname(`${root}/${path}`), { recursive: true });
      Deno.writeTextFileSync(`${root}/${path}`, text);
    }
    act(root);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

function prepared(directory: string, config = CONFIG, release = RELEASE) {
  return {
    [`${directory}/Makefile`]: "",
    [`${directory}/include/config/auto.conf`]: config,
    // Debian's other number.
    [`${directory}/include/config/kernel.release`]: "6.1.176\n",
    [`${directory}/include/generated/utsrelease.h`]: `#define UTS_RELEASE "${release}"\n`,
  };
}

function refused(files: Readonly<Record<string, string>>, message: RegExp, isMissing: boolean) {
  withRoot(files, (root) => {
    throws(
      () => findHeaders({ release: RELEASE, headers: undefined, root }),
      (error: NoHeaders) => {
        match(error.message, message);
        strictEqual(error.isMissing, isMissing);
        return true;
      },
    );
  });
}

Deno.test("findHeaders takes those of the kernel's modules, and reads its settings", () => {
  withRoot(prepared(`lib/modules/${RELEASE}/build`), (root) => {
    const directory = `${root}/lib/modules/${RELEASE}/build`;
    deepStrictEqual(findHeaders({ release: RELEASE, headers: undefined, root }), {
      directory,
      release: RELEASE,
      compiler: { kind: "gcc", major: 12, program: "gcc-12", plain: "gcc-12" },
      wantsSignature: false,
    });
  });
});

Deno.test("findHeaders finds them where packages put them, for a kernel that does not run", () => {
  for (const place of [`usr/src/linux-headers-${RELEASE}`, `usr/src/kernels/${RELEASE}`]) {
    withRoot(prepared(place), (root) => {
      const { directory } = findHeaders({ release: RELEASE, headers: undefined, root });
      strictEqual(directory, `${root}/${place}`);
    });
  }
});

Deno.test("findHeaders goes by the release of a directory that somebody named", () => {
  const config = CONFIG.replace("gcc-12", "/usr/bin/x86_64-linux-gnu-gcc-13")
    .replace("120200", "130200") + "CONFIG_MODULE_SIG_FORCE=y\n";
  withRoot(prepared("h", config, "6.8.0-31-generic"), (root) => {
    const found = findHeaders({ release: undefined, headers: `${root}/h`, root: "" });
    strictEqual(found.release, "6.8.0-31-generic");
    deepStrictEqual(found.compiler, {
      kind: "gcc",
      major: 13,
      program: "x86_64-linux-gnu-gcc-13",
      plain: "gcc-13",
    });
    strictEqual(found.wantsSignature, true);
  });
});

Deno.test("findHeaders knows a kernel that clang built", () => {
  const config = "CONFIG_MODULES=y\nCONFIG_CC_IS_CLANG=y\nCONFIG_CLANG_VERSION=180103\n" +
    'CONFIG_CC_VERSION_TEXT="clang version 18.1.3"\n';
  withRoot(prepared("h", config), (root) => {
    const { compiler } = findHeaders({ release: undefined, headers: `${root}/h`, root: "" });
    deepStrictEqual(compiler, { kind: "clang", major: 18, program: "clang", plain: "clang" });
  });
});

Deno.test("findHeaders says why there are none", () => {
  const place = `lib/modules/${RELEASE}/build`;
  refused({}, /^there are no headers of kernel 6.1.0-49-amd64 \(.*build\)$/, true);
  refused(prepared(place, CONFIG, "6.1.0-1-amd64"), /holds the headers of kernel 6.1.0-1-/, true);
  refused(prepared(place, "CONFIG_X=y\n"), /takes no modules: .* without CONFIG_MODULES/, false);
  refused({ [`${place}/Makefile`]: "" }, /is not prepared for modules/, false);
});

Deno.test("findHeaders does not look elsewhere than in a directory that somebody named", () => {
  withRoot(prepared(`lib/modules/${RELEASE}/build`), (root) => {
    throws(
      () => findHeaders({ release: RELEASE, headers: `${root}/lib`, root }),
      /lib holds no kernel headers: it has no Makefile/,
    );
  });
});

Deno.test("compilerOfRunning reads how the kernel that runs was built", () => {
  const cases: readonly (readonly [string, "gcc" | "clang", number])[] = [
    ["(a@b) (gcc-12 (Debian 12.2.0-14) 12.2.0, GNU ld 2.40)", "gcc", 12],
    ["(a@b) (x86_64-linux-gnu-gcc-13 (Ubuntu 13.2.0-23) 13.2.0, GNU ld)", "gcc", 13],
    ["(a@b) (gcc (GCC) 14.2.1 20250110, GNU ld)", "gcc", 14],
    ["(a@b) (clang version 18.1.3, LLD 18.1.3)", "clang", 18],
    ["", "gcc", 0],
  ];
  for (const [text, kind, major] of cases) {
    withRoot({ "proc/version": `Linux version 6.1.0 ${text} #1 SMP\n` }, (root) => {
      deepStrictEqual(compilerOfRunning(root), { kind, major }, text);
    });
  }
});
