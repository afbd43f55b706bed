// Modules that make and this machine's compiler build, with headers of the test's own: their
// Makefile does what a kernel's does with the one source that there is.
import { deepStrictEqual, match, rejects, strictEqual, throws } from "node:assert";
import { dirname } from "node:path";
import { cached, keyOf } from "./cache.ts";
import { buildHindrance, keptModule, makeModule, type ModuleAsk } from "./make_module.ts";
import { readModuleFile } from "./module_file.ts";

const RELEASE = "6.1.0-1-test";
/** Under the names that the kernel's build tells. */
const MAKEFILE = `modules:
\t@echo "  CC [M]  $(M)/glue.o"
\t$(CC) -c -o $(M)/saker.ko $(M)/glue.c
\t@test -z "$$SAKER_TEST_LEAK" || { echo "error: the environment came through"; exit 1; }
\t@echo "  LD [M]  $(M)/saker.ko"
`;
const GLUE = `__attribute__((section(".modinfo"), used))
static const char a[] = "name=saker";
__attribute__((section(".modinfo"), used))
static const char b[] = "vermagic=${RELEASE} SMP mod_unload ";
`;

interface Scene {
  readonly root: string;
  readonly ask: ModuleAsk;
  readonly steps: string[];
  readonly doubts: string[];
  write(path: string, text: string): void;
}

async function scene(act: (scene: Scene) => Promise<void>): Promise<void> {
  const root = Deno.makeTempDirSync();
  const write = (path: string, text: string) => {
    Deno.mkdirSync(dirname(`${root}/${path}`), { recursive: true });
    Deno.writeTextFileSync(`${root}/${path}`, text);
  };
  const headers = `lib/modules/${RELEASE}/build`;
  write(`${headers}/Makefile`, MAKEFILE);
  write(
    `${headers}/.config`,
    'CONFIG_MODULES=y\nCONFIG_CC_IS_GCC=y\nCONFIG_CC_VERSION_TEXT="gcc (GCC) 12.2.0"\n',
  );
  write(
    `${headers}/include/generated/utsrelease.h`,
    `#define UTS_RELEASE "${RELEASE}"\n`,
  );
  write("etc/os-release", "ID=debian\n");
  const steps: string[] = [];
  const doubts: string[] = [];
  const ask: ModuleAsk = {
    sources: sources(GLUE),
    release: RELEASE,
    headers: undefined,
    signing: undefined,
    output: undefined,
    root,
    path: Deno.env.get("PATH")!,
    cache: `${root}/var/cache/saker/kmod`,
    onStep: (done, _all, what) => steps.push(`${done} ${what}`),
    onDoubt: (line) => doubts.push(line),
  };
  try {
    await act({ root, ask, steps, doubts, write });
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

function sources(glue: string): ModuleAsk["sources"] {
  return [{ name: "glue.c", bytes: new TextEncoder().encode(glue) }];
}

Deno.test("makeModule builds once, tells its steps, and keeps the module", async () => {
  await scene(async ({ ask, steps, doubts }) => {
    const { file, release, isNew } = await makeModule(ask);
    deepStrictEqual([release, isNew], [RELEASE, true]);
    strictEqual(readModuleFile(Deno.readFileSync(file))?.name, "saker");
    deepStrictEqual([steps, doubts], [["0 CC glue.o", "1 LD saker.ko"], []]);
    deepStrictEqual(await makeModule(ask), { file, release, isNew: false });
    strictEqual(keptModule(RELEASE, ask.sources, ask.cache), file);
    strictEqual(keptModule(RELEASE, sources("other"), ask.cache), undefined);
  });
});

Deno.test("makeModule gives the compiler nothing of its caller's environment", async () => {
  Deno.env.set("SAKER_TEST_LEAK", "1");
  try {
    await scene(async ({ ask }) => {
      strictEqual((await makeModule(ask)).isNew, true);
    });
  } finally {
    Deno.env.delete("SAKER_TEST_LEAK");
  }
});

Deno.test("a new build takes the place of older ones, and of gone kernels'", async () => {
  await scene(async ({ ask, root, write }) => {
    const first = await makeModule(ask);
    write(`var/cache/saker/kmod/5.10.0-gone/0123/saker.ko`, "");
    const other = { ...ask, sources: sources(`${GLUE}\nint more;\n`) };
    const second = await makeModule(other);
    strictEqual(cached(ask.cache!, keyOf(RELEASE, ask.sources)), undefined);
    deepStrictEqual(
      [...Deno.readDirSync(`${root}/var/cache/saker/kmod`)].map(({ name }) => name),
      [RELEASE],
    );
    strictEqual(dirname(dirname(first.file)), dirname(dirname(second.file)));
  });
});

Deno.test("makeModule writes where it is told, and leaves nothing else", async () => {
  await scene(async ({ ask, root }) => {
    const output = `${root}/out.ko`;
    deepStrictEqual(await makeModule({ ...ask, output }), {
      file: output,
      release: RELEASE,
      isNew: true,
    });
    strictEqual(readModuleFile(Deno.readFileSync(output))?.name, "saker");
    throws(() => Deno.statSync(ask.cache!), Deno.errors.NotFound);
    await rejects(
      makeModule({ ...ask, output: `${root}/nowhere/out.ko` }),
      /Cannot write .*nowhere\/out.ko: there is no such file or directory/,
    );
  });
});

Deno.test("what the compiler found first is told, and all that it said is kept", async () => {
  await scene(async ({ ask }) => {
    const wrong = { ...ask, sources: sources("int a = b;\n") };
    const expected = new RegExp(
      `^Error: Cannot build the kernel module for ${RELEASE}: \\S*glue.c:1:9: error: .b. ` +
        "undeclared.*\\(all that was said: (.*)\\)$",
    );
    await rejects(makeModule(wrong), (error) => {
      const [, log] = expected.exec(String(error)) ?? [];
      match(Deno.readTextFileSync(log!), /CC \[M\][^]*error: /);
      return true;
    });
    strictEqual(keptModule(RELEASE, wrong.sources, ask.cache), undefined);
  });
});

Deno.test("all that is missing is told in one line, with the command that brings it", async () => {
  await scene(async ({ ask, write }) => {
    write("proc/version", "Linux version 6.1.0 (a@b) (gcc-12 (Debian 12.2.0) 12.2.0, GNU ld)\n");
    await rejects(
      makeModule({ ...ask, release: "6.1.0-2-test", path: "/nowhere" }),
      new RegExp(
        "for 6.1.0-2-test: there are no headers of kernel 6.1.0-2-test \\(.*\\), and make and " +
          "gcc-12 are missing; install them: apt-get install linux-headers-6.1.0-2-test make " +
          "gcc-12$",
      ),
    );
    await rejects(
      makeModule({ ...ask, path: "relative:/nowhere" }),
      /make and gcc are missing; install them: apt-get install make gcc$/,
    );
    strictEqual(
      buildHindrance({ ...ask, path: "/nowhere" }),
      "make and gcc are missing; install them: apt-get install make gcc",
    );
    strictEqual(buildHindrance(ask), undefined);
    write("etc/os-release", "PRETTY_NAME=Own\nID=own\n");
    match(buildHindrance({ ...ask, path: "/nowhere" })!, /; install what Own has for it$/);
  });
});

Deno.test("a compiler of another version is taken where no package has the right one", async () => {
  await scene(async ({ ask, doubts, write }) => {
    const config = "CONFIG_MODULES=y\nCONFIG_CC_IS_GCC=y\nCONFIG_GCC_VERSION=990100\n" +
      'CONFIG_CC_VERSION_TEXT="gcc-99 (Own 99.1.0) 99.1.0"\n';
    write(`lib/modules/${RELEASE}/build/.config`, config);
    await rejects(makeModule(ask), /gcc-99 is missing; install them: apt-get install gcc-99$/);
    write("etc/os-release", "ID=arch\n");
    strictEqual((await makeModule(ask)).isNew, true);
    match(doubts.join(), /was built by gcc 99, and this gcc may be another one/);
  });
});

Deno.test("a module that others could have put there is not taken", async () => {
  await scene(async ({ ask }) => {
    const { file } = await makeModule(ask);
    for (const path of [file, dirname(file), ask.cache!, dirname(ask.cache!)]) {
      const { mode } = Deno.statSync(path);
      Deno.chmodSync(path, 0o777);
      await rejects(makeModule(ask), /Cannot use .*: it is not this user's alone/, path);
      Deno.chmodSync(path, mode! & 0o777);
    }
    strictEqual((await makeModule(ask)).isNew, false);
  });
});

Deno.test("a module is signed by the kernel's own tool, and who has none is told", async () => {
  await scene(async ({ ask, root, write }) => {
    const signing = { key: `${root}/key.pem`, certificate: `${root}/cert.pem` };
    await rejects(makeModule({ ...ask, signing }), /have no scripts\/sign-file/);
    const program = `${root}/lib/modules/${RELEASE}/build/scripts/sign-file`;
    write(
      `lib/modules/${RELEASE}/build/scripts/sign-file`,
      '#!/bin/sh\ncat "$2" "$3" >/dev/null && printf "~Module signature appended~\\n" >>"$4"\n',
    );
    Deno.chmodSync(program, 0o755);
    await rejects(makeModule({ ...ask, signing }), /Cannot read .*key.pem: there is no such file/);
    write("key.pem", "key");
    write("cert.pem", "certificate");
    const { file } = await makeModule({ ...ask, signing });
    strictEqual(readModuleFile(Deno.readFileSync(file))?.isSigned, true);
  });
});
