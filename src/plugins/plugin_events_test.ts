// Which plugins are handed which events, what they send, and when they hear of begin and end.
import { deepStrictEqual, strictEqual } from "node:assert";
import type { Event } from "../events/event.ts";
import { codeOf } from "../events/table.ts";
import type { PluginInfo, PluginPort } from "./contract.ts";
import { concerns } from "./compatible.ts";
import { parsedCodes, PluginEvents } from "./plugin_events.ts";
import { pluginInfo, TextsPort } from "./port_fixture.ts";

const EXECVE = codeOf("SYSCALL_EXECVE_19_X");
const CLONE = codeOf("SYSCALL_CLONE_20_X");
const PLUGIN = codeOf("PLUGINEVENT_E");
const OF_CALLS = { source: "syscall", sourceId: 0, isCapture: false };

function port(more: Partial<PluginInfo>, calls: Partial<PluginPort> = {}): PluginPort {
  const info = pluginInfo({ id: 0, source: "", fields: [], ...more });
  return Object.assign(new TextsPort([], 1, info), calls);
}

function event(code: number): Event {
  return { bytes: new Uint8Array(8), offset: 2, end: 7, num: 5, code } as Partial<Event> as Event;
}

Deno.test("a plugin parses the events that it names, of sources besides its own", () => {
  const parsed: unknown[] = [];
  const named = port({ capabilities: ["parsing"], parseEventTypes: [EXECVE] }, {
    parse: (bytes, ...rest) => parsed.push([bytes.length, ...rest]),
  });
  const others = port({ capabilities: ["parsing"], parseSources: ["lines"] }, {
    parse: () => parsed.push("others"),
  });
  const own = port({ capabilities: ["parsing"], source: "syscall" }, {
    parse: () => parsed.push("own"),
  });
  const events = new PluginEvents([named, others, own], OF_CALLS);
  deepStrictEqual([events.wanted[EXECVE], events.wanted[CLONE]], [1, 0]);
  deepStrictEqual([...events.parsedNames], ["execve"]);
  deepStrictEqual([...events.namedEvents], ["execve"]);
  events.parse(event(EXECVE));
  deepStrictEqual(parsed, [[8, 2, 7, 5, "syscall"]]);
});

Deno.test("a plugin that names no events parses all system calls, or plugin events alone", () => {
  const all = pluginInfo({ source: "", parseEventTypes: [] });
  strictEqual(parsedCodes(all).includes(CLONE), true);
  deepStrictEqual(parsedCodes(pluginInfo({ parseSources: ["lines"] })), [PLUGIN]);
});

Deno.test("what plugins send is taken now and then, from live sources that it is for", () => {
  const begun: unknown[] = [];
  const sender = (name: string, asyncSources: string[]) =>
    port({ name, capabilities: ["async"], asyncSources }, {
      beginAsync: (ofSystemCalls) => begun.push([name, ofSystemCalls]),
      takeAsync(buffer, sourceId) {
        buffer.set([sourceId, name.length]);
        return 2;
      },
      endAsync: () => begun.push(`${name} ended`),
    });
  const ports = [sender("all", []), sender("line", ["lines"]), sender("none", ["x"])];
  const events = new PluginEvents(ports, { source: "lines", sourceId: 9, isCapture: false });
  events.begin();
  deepStrictEqual(begun.splice(0), [["all", false], ["line", false]]);
  deepStrictEqual(events.take(1_000), Uint8Array.of(9, 3, 9, 4));
  strictEqual(events.take(1_005), undefined);
  deepStrictEqual(events.take(1_010)?.length, 4);
  events.end();
  deepStrictEqual(begun, ["all ended", "line ended"]);
  const replay = new PluginEvents(ports, { ...OF_CALLS, isCapture: true });
  deepStrictEqual([replay.isIdle, replay.take(1_000)], [true, undefined]);
});

Deno.test("a plugin that listens hears of the begin and the end, of captures too", () => {
  const heard: string[] = [];
  const listener = port({ capabilities: ["listening"] }, {
    captureOpen: () => heard.push("open"),
    captureClose: () => heard.push("close"),
  });
  const events = new PluginEvents([listener], { ...OF_CALLS, isCapture: true });
  events.begin();
  events.end();
  deepStrictEqual(heard, ["open", "close"]);
  strictEqual(concerns(listener.info, "syscall"), true);
  strictEqual(concerns(pluginInfo({ capabilities: ["extraction"] }), "syscall"), false);
});

Deno.test("a dump has the blocks of all that tell their state", () => {
  const dumper = (bytes: number[]) =>
    port({ capabilities: ["async"] }, { dumpState: () => Uint8Array.from(bytes) });
  const events = new PluginEvents([dumper([1, 2]), dumper([]), dumper([3])], OF_CALLS);
  deepStrictEqual(events.dump(), [Uint8Array.of(1, 2), Uint8Array.of(3)]);
});
