// Which plugins have to do with a source.
import { deepStrictEqual as assertEquals } from "node:assert/strict";
import type { PluginInfo, PluginSetting } from "../../plugins/contract.ts";
import { pluginInfo } from "../../plugins/port_fixture.ts";
import { extractorsOf } from "./loaded_plugins.ts";

Deno.test("of a source without events only those are asked that send or listen", () => {
  const lone = (name: string, more: Partial<PluginInfo> = {}) => {
    const info = pluginInfo({ name, source: "", id: 0, capabilities: ["extraction"], ...more });
    return { info, setting: { name } as PluginSetting };
  };
  const all = [
    lone("values"),
    lone("sender", { capabilities: ["extraction", "async"], asyncSources: ["syscall"] }),
    lone("listener", { capabilities: ["listening"], fields: [] }),
    lone("others", { extractSources: ["other"] }),
  ];
  const names = (hasEvents: boolean) =>
    extractorsOf(all, "syscall", hasEvents).map(({ name }) => name);
  assertEquals(names(true), ["values", "sender", "listener"]);
  assertEquals(names(false), ["sender", "listener"]);
});
