// docs/names.md against the event table: every call that carries a path has its row, and the live
// tests that rows name exist.
import { deepEqual, ok } from "node:assert/strict";

const ROOT = new URL("..", import.meta.url).pathname;
/** Parameters that are paths by another type. */
const ALSO: ReadonlySet<string> = new Set(["chdir path", "symlink linkpath", "mount dev"]);

interface Table {
  readonly events: readonly {
    readonly id: string;
    readonly code: number;
    readonly flags: readonly string[];
    readonly params: readonly (readonly [name: string, type: string])[];
  }[];
  readonly syscalls: readonly { readonly name: string; readonly exit?: number }[];
}

const TABLE: Table = JSON.parse(Deno.readTextFileSync(`${ROOT}probe-rs/events.json`));
const ROWS = [
  ...Deno.readTextFileSync(`${ROOT}docs/names.md`).matchAll(
    /^\| `(\w+)` \| ([^|]*) \| ([^|]*) \| ([^|]*)\|$/gm,
  ),
].map(([, call, names, path, test]) => ({
  call: call!,
  names: [...names!.matchAll(/`(\w+)`/g)].map(([, name]) => name!),
  path: path!.trim(),
  test: test!.replaceAll("`", "").trim(),
}));

Deno.test("docs/names.md: every call that carries a path has a row with its parameters", () => {
  const missing = TABLE.events.flatMap(({ id, code, flags, params }) => {
    if (!id.endsWith("_X") || flags.includes("old_version")) return [];
    // Calls without a current event of their own are those that no call leads to.
    const calls = TABLE.syscalls.filter(({ exit }) => exit === code).map(({ name }) => name);
    return calls.flatMap((call) => {
      const paths = params.filter(([name, type]) =>
        type === "FSPATH" || type === "FSRELPATH" || ALSO.has(`${call} ${name}`)
      );
      const row = ROWS.find((row) => row.call === call);
      return paths.filter(([name]) => !row?.names.includes(name)).map(([name]) => [call, name]);
    });
  });
  // execveat tells its file as execve does, once it succeeded.
  deepEqual(missing.filter(([call]) => call !== "execveat"), []);
});

Deno.test("docs/names.md: the live tests that rows name exist", () => {
  const sources = [...Deno.readDirSync(`${ROOT}bindings-rs/src/live_test`)]
    .map(({ name }) => Deno.readTextFileSync(`${ROOT}bindings-rs/src/live_test/${name}`))
    .join("\n");
  ok(ROWS.length > 30);
  for (const { call, test } of ROWS) {
    ok(test === "" || sources.includes(`fn ${test}()`), `${call}: there is no test ${test}`);
  }
});
