// The module as /sys and /proc show it, in a directory of the test's own.
import { deepStrictEqual, strictEqual } from "node:assert";
import { dirname } from "node:path";
import { DEVICE, devicePath, loadedModule, readersOf } from "./loaded.ts";

function withRoot(act: (root: string, write: (path: string, text: string) => void) => void): void {
  const root = Deno.makeTempDirSync();
  try {
    act(root, (path, text) => {
      Deno.mkdirSync(dirname(`${root}/${path}`), { recursive: true });
      Deno.writeTextFileSync(`${root}/${path}`, text);
    });
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

Deno.test("loadedModule tells what the kernel shows of it, if it is there", () => {
  withRoot((root, write) => {
    strictEqual(loadedModule(root), undefined);
    write("sys/module/saker/initstate", "live\n");
    write("sys/module/saker/version", "0.1.0\n");
    write("sys/module/saker/refcnt", "2\n");
    write("sys/module/saker/parameters/max_readers", "8\n");
    write("sys/module/saker/parameters/a", "1\n");
    deepStrictEqual(loadedModule(root), {
      state: "live",
      version: "0.1.0",
      uses: 2,
      parameters: { a: "1", max_readers: "8" },
    });
  });
});

Deno.test("readersOf names the processes that have the device open", () => {
  withRoot((root, write) => {
    for (const [pid, name, target] of [[30, "saker", DEVICE], [7, "cat", DEVICE], [8, "sh", "/"]]) {
      write(`proc/${pid}/comm`, `${name}\n`);
      Deno.mkdirSync(`${root}/proc/${pid}/fd`);
      Deno.symlinkSync(`${target}`, `${root}/proc/${pid}/fd/3`);
    }
    write("proc/self/comm", "x");
    deepStrictEqual(readersOf(root), [{ pid: 7, name: "cat" }, { pid: 30, name: "saker" }]);
  });
});

Deno.test("devicePath goes by the host's root where the device is there", () => {
  withRoot((root, write) => {
    strictEqual(devicePath(root), DEVICE);
    write(DEVICE, "");
    strictEqual(devicePath(root), `${root}${DEVICE}`);
  });
});
