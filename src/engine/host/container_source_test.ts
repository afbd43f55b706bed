// The engine's side of what runtimes tell, with the addon and a socket that answers as Docker does:
// what it asks and takes, and that it crosses for news alone.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import type { Runtimes } from "../../../bindings-rs/runtimes.d.ts";
import { AwaitedContainers } from "../../state/tables/awaited_containers.ts";
import { Counters } from "../contract/counters.ts";
import { loadAddon } from "./addon.ts";
import { ContainerSource } from "./container_source.ts";

const ID = "aa11bb22cc33dd44ee55ff6600112233445566778899aabbccddeeff00112233";
const BUILT = (() => {
  try {
    return Deno.statSync(new URL("../../../dist/embed/addon.node", import.meta.url)).size > 0;
  } catch {
    return false;
  }
})();

/** Counts the calls of `take`; all else goes to the addon. */
function counted(runtimes: Runtimes): { runtimes: Runtimes; taken: () => number } {
  let taken = 0;
  const own = {
    lend: (words: Uint32Array) => runtimes.lend(words),
    ask: (id: string) => runtimes.ask(id),
    take: (max: number) => (taken++, runtimes.take(max)),
    state: () => runtimes.state(),
    totals: () => runtimes.totals(),
  };
  return { runtimes: own, taken: () => taken };
}

Deno.test({
  name: "the addon is called for news alone, and what it tells comes as events",
  ignore: !BUILT,
  async fn() {
    const directory = Deno.makeTempDirSync();
    const path = `${directory}/docker.sock`;
    const followers: ReadableStreamDefaultController[] = [];
    const server = Deno.serve({ path, onListen() {} }, (request) => {
      const { pathname } = new URL(request.url.replace(/^http\+unix:\/\/[^/]*/, "http://x"));
      if (pathname === "/version") return Response.json({ Version: "20.10" });
      if (pathname === "/containers/json") return Response.json([]);
      if (pathname.endsWith("/json")) return Response.json({ Id: ID, Name: "/box", Config: {} });
      return new Response(new ReadableStream({ start: (one) => void followers.push(one) }));
    });
    try {
      const made = loadAddon().Runtimes.start({
        ...{ hostRoot: "", sockets: [{ kind: "docker" as const, path }], labelMaxLen: 100 },
        ...{ withSize: false, patienceMs: 20_000 },
      });
      const { runtimes, taken } = counted(made);
      const awaited = new AwaitedContainers();
      const { news } = new Counters();
      let begun = 0;
      const timing = { waitMs: 60_000, told: () => {}, begun: () => void begun++ };
      const source = new ContainerSource({ runtimes, awaited, news, ...timing });
      for (let batch = 0; batch < 1_000; batch++) strictEqual(source.take(batch), undefined);
      strictEqual(taken(), 0);
      awaited.note(ID);
      let bytes: Uint8Array | undefined;
      let batches = 0;
      for (; bytes === undefined && batches < 4_000; batches++) {
        bytes = source.take(2_000 + batches);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      ok(bytes !== undefined, JSON.stringify(runtimes.state()));
      match(new TextDecoder().decode(bytes), new RegExp(`"full_id":"${ID}"`));
      deepStrictEqual([taken(), source.take(10_000)], [1, undefined]);
      strictEqual(begun, 1, "a look for its files is asked for once");
    } finally {
      for (const one of followers) one.close();
      await server.shutdown();
      Deno.removeSync(directory, { recursive: true });
    }
  },
});
