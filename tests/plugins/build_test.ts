// The tests' plugins themselves: that they are built, and are what a host takes for plugins.
import { assertEquals } from "../live/expect.ts";
import { has } from "../live/trigger.ts";
import { cPlugin, rustPlugin } from "./build.ts";

const ABOUT = {
  plugin_get_name: { parameters: [], result: "pointer" },
  plugin_get_event_source: { parameters: [], result: "pointer" },
  plugin_get_id: { parameters: [], result: "u32" },
} as const;

function about(path: string): unknown[] {
  const library = Deno.dlopen(path, ABOUT);
  const { plugin_get_name, plugin_get_event_source, plugin_get_id } = library.symbols;
  const texts = [plugin_get_name(), plugin_get_event_source()].map((pointer) =>
    pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer)
  );
  const id = plugin_get_id();
  library.close();
  return [...texts, id];
}

Deno.test({
  name: "a plugin in C is built once for what it is built of, and is what its macros say",
  ignore: !has("cc"),
  async fn() {
    const lines = await cPlugin("lines");
    assertEquals(await cPlugin("lines"), lines);
    assertEquals(about(lines), ["lines", "lines", 999]);
    const others = await cPlugin("lines", { LINES_NAME: '"others"', LINES_ID: "998" });
    assertEquals(about(others), ["others", "others", 998]);
    assertEquals(about(await cPlugin("hostile")), ["hostile", "hostile", 997]);
    // What lacks a function is still a library.
    for (const what of ["INIT", "NEXT_BATCH", "EXTRACT", "ERROR"]) {
      await cPlugin("hostile", { [`WITHOUT_${what}`]: "1" });
    }
  },
});

Deno.test("a plugin in Rust is built without a network, and names itself", async () => {
  const census = Deno.dlopen(await rustPlugin("census"), {
    plugin_get_name: { parameters: [], result: "pointer" },
  });
  const name = census.symbols.plugin_get_name();
  assertEquals(name === null ? "" : Deno.UnsafePointerView.getCString(name), "census");
  census.close();
});
