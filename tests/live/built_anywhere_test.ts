// What is built says nothing of where it was built: a build is the same wherever clone, crates and
// caches lie, and tells nobody's directories. The runtime is its makers' and is left out.
import { assert, assertEquals } from "./expect.ts";
import { SAKER } from "./saker.ts";

const DIST = new URL("../../dist/", import.meta.url).pathname;

/**
 * Directories of this machine, as a build would write them: whole, or as the way up to the root and
 * down again. A place as short as /src/ may stand anywhere and is left out.
 */
function places(): string[] {
  const repository = new URL("../..", import.meta.url).pathname;
  const home = Deno.env.get("HOME") ?? "/root";
  const cache = Deno.env.get("SAKER_CACHE") ?? `${home}/.cache/saker`;
  const cargo = Deno.env.get("CARGO_HOME") ?? `${home}/.cargo`;
  const target = Deno.env.get("SAKER_TARGET") ?? cache;
  const own = [repository, `${cache}/`, `${cargo}/`, `${target}/`]
    .filter((place) => place.split("/").length > 3);
  // Wherever they are.
  return [...own, "/registry/src/", "/npm/registry.", "/rustlib/src/"];
}

/** What each place stands in, with what is around it there. */
function told(name: string, bytes: Uint8Array): string[] {
  const text = new TextDecoder("latin1").decode(bytes);
  return places().map((place) => ({ place, at: text.indexOf(place) })).filter(({ at }) => at >= 0)
    .map(({ place, at }) => `${name}: ${place}: ${text.slice(Math.max(0, at - 20), at + 99)}`);
}

Deno.test("a built executable names no directory of the machine that built it", () => {
  const embedded = ["addon.node", "plugin-host", "probe.o", "kmod/core.o_shipped"];
  assertEquals(
    embedded.flatMap((name) => told(name, Deno.readFileSync(`${DIST}embed/${name}`))),
    [],
  );
  // All that stands behind the runtime: these, the engine, the bundle.
  const runtime = Deno.statSync(`${DIST}front/denort`).size;
  const own = Deno.readFileSync(SAKER).subarray(runtime);
  assertEquals(told("dist/saker", own), []);
  // What is looked for would be found: the probe names its sources.
  const probe = new TextDecoder("latin1").decode(Deno.readFileSync(`${DIST}embed/probe.o`));
  assert(probe.includes("/saker/probe-rs/src/"), "the probe names no source by its neutral place");
});
