// A plugin as source and fields: its batches walked, its fields read as rules read them.
import { deepStrictEqual as assertEquals, match as assertMatch } from "node:assert/strict";
import { BlockWalk, Step } from "../events/blocks.ts";
import { Event } from "../events/event.ts";
import { shownValue, valueJson, valueText } from "../fields/render.ts";
import { Context } from "../state/contract/context.ts";
import { createMachine } from "../state/create_machine.ts";
import type { PluginArgument, PluginInfo, PluginPort } from "./contract.ts";
import { fieldSets, pluginsMistake } from "./field_sets.ts";
import { PluginHand } from "./plugin_hand.ts";
import { PluginSource } from "./plugin_source.ts";
import { LendingPort, pluginField, pluginInfo, TextsPort } from "./port_fixture.ts";

const BUFFER_BYTES = 1 << 16;

/** Values of fields, as outputs show them, of each event. */
function shown(
  port: PluginPort,
  names: readonly string[],
  infos = [port.info],
  others: readonly PluginPort[] = [],
): string[][] {
  const source = new PluginSource(port);
  const handOf = (of: PluginPort) =>
    new PluginHand(of, source.source, { batches: source, isOwn: of === port });
  const hands = new Map([port, ...others].map((one) => [one.info.name, handOf(one)]));
  const fields = fieldSets(infos, {}, hands).get(source.source)!;
  const bounds = names.map((name) => {
    const resolved = fields.resolve(name);
    if ("error" in resolved) throw new Error(resolved.error);
    return resolved.bound;
  });
  const machine = createMachine({ hostname: "host", threadsMax: 1, fdsMax: 1, paths: "both" });
  const context = new Context(machine, new Event());
  const walk = new BlockWalk(context.event);
  const buffer = new Uint8Array(BUFFER_BYTES);
  const lines: string[][] = [];
  for (let bytes = source.read(buffer); bytes >= 0; bytes = source.read(buffer)) {
    walk.begin(buffer, bytes);
    for (let step = walk.next(); step !== Step.End; step = walk.next()) {
      context.event.num++;
      machine.apply(context);
      lines.push(bounds.map((bound) => valueText(bound, shownValue(bound, context))));
      for (const bound of bounds) valueJson(bound, shownValue(bound, context));
    }
  }
  return lines;
}

Deno.test("a plugin's fields have the values that it gives, of every type", () => {
  const names = [
    "text.all",
    "text.length",
    "text.words",
    "text.word[1]",
    "text.is_long",
    "text.address",
    "evt.source",
    "evt.pluginname",
    "evt.plugininfo",
  ];
  assertEquals(shown(new TextsPort(["one", "one two three"]), names), [
    ["one", "3", "(one)", "<NA>", "false", "10.0.0.3", "texts", "texts", "text: one"],
    [
      "one two three",
      "13",
      "(one,two,three)",
      "two",
      "true",
      "10.0.0.13",
      "texts",
      "texts",
      "text: one two three",
    ],
  ]);
});

Deno.test("another plugin's batch is lent once, and its fields are asked of most at once", () => {
  const texts = Array.from({ length: 128 }, (_, at) => `text ${at}`);
  const port = new TextsPort(texts, 64);
  const fields = [pluginField("other.all"), pluginField("other.length", { type: "uint64" })];
  const other = new LendingPort([], 1, pluginInfo({ name: "other", id: 0, source: "", fields }));
  const infos = [port.info, other.info];
  const lines = shown(port, ["other.all", "other.length"], infos, [other]);
  assertEquals(lines, texts.map((text) => [text, `${text.length}`]));
  assertEquals(other.lent, [1, 65].map((firstNumber) => ({ source: "texts", firstNumber })));
  // Of the first batch some one by one, then the rest; of the second all.
  const [one, all] = [{ first: 0, count: 1 }, { first: 0, count: 64 }];
  assertEquals(other.asked.filter(({ first }) => first === 0), [one, one, all, all]);
  assertEquals(other.asked.some(({ first, count }) => first > 0 && count > 32), true);
  assertEquals([other.singles, other.asked.length < 16], [0, true]);
});

Deno.test("a field that is asked of every event is asked once for a batch", () => {
  const texts = Array.from({ length: 256 }, (_, at) => `text ${at}`);
  const port = new TextsPort(texts, 64);
  const lines = shown(port, ["text.all", "text.words"]);
  assertEquals(lines.map(([text]) => text), texts);
  // Four one by one until it shows, then the rest; from the second batch on one for each field.
  assertEquals(port.columns <= 2 * (5 + 3), true, `${port.columns} columns`);
  assertEquals(port.singles, 0);
});

Deno.test("a plugin's field says what is wrong with its argument", () => {
  const fields = fieldSets([pluginInfo()], {}).get("texts")!;
  const errorOf = (text: string) => {
    const resolved = fields.resolve(text);
    return "error" in resolved ? resolved.error : "none";
  };
  assertEquals(errorOf("text.word"), "text.word requires an argument but none provided");
  assertMatch(errorOf("text.word[a]"), /invalid index argument not composed only by digits/);
  assertMatch(errorOf("text.all[1]"), /does not allow nor require an argument/);
  assertMatch(errorOf("text.word[03]"), /invalid index argument starting with 0: 03/);
  assertEquals(errorOf("text.word[3]"), "none");
});

Deno.test("a number is given as key and as index where a field takes either", () => {
  const argument = { isRequired: true, isIndex: true, isKey: true };
  const info = pluginInfo({ fields: [pluginField("text.given", { argument })] });
  const given: (PluginArgument | undefined)[] = [];
  class Asked extends TextsPort {
    override columnOf(...[, , , , argument]: Parameters<TextsPort["columnOf"]>) {
      given.push(argument);
      return { counts: Uint32Array.of(0), ends: new Uint32Array(), bytes: new Uint8Array() };
    }
    override column(...[, argument]: Parameters<TextsPort["column"]>) {
      return this.columnOf(new Uint8Array(), 0, "", 0, argument);
    }
  }
  const names = ["text.given[2]", "text.given[02]", "text.given[/etc]"];
  shown(new Asked(["one"], 1, info), names);
  assertEquals(
    new Set(given.map((one) => JSON.stringify(one))),
    new Set([
      '{"key":"2","index":2}',
      '{"key":"02"}',
      '{"key":"/etc"}',
    ]),
  );
});

const lone = (more: Partial<PluginInfo>) =>
  pluginInfo({ source: "", id: 0, capabilities: ["extraction"], ...more });

Deno.test("extraction alone goes with the sources that it names, or with all", () => {
  const names = (info: PluginInfo) =>
    [...fieldSets([pluginInfo({ fields: [] }), info], {})]
      .filter(([, set]) => set.get("more.field") !== undefined).map(([source]) => source);
  const fields = [pluginField("more.field")];
  assertEquals(names(lone({ name: "more", fields })), ["syscall", "k8s_audit", "texts"]);
  assertEquals(names(lone({ name: "more", fields, extractSources: ["texts"] })), ["texts"]);
});

Deno.test("fields that two plugins give for one source are refused in Falco's words", () => {
  const other = lone({ name: "other", fields: [pluginField("text.all")] });
  assertEquals(
    pluginsMistake([pluginInfo(), other]),
    "Plugin 'other' supports extraction of field 'text.all' that is overlapping for source 'texts'",
  );
  const apart = { ...other, extractSources: ["syscall"] };
  assertEquals(pluginsMistake([pluginInfo(), apart]), undefined);
  assertMatch(
    pluginsMistake([lone({ name: "proc", fields: [pluginField("proc.name")] })])!,
    /'proc.name' that is overlapping for source 'syscall'/,
  );
  assertMatch(
    pluginsMistake([lone({ name: "idle", extractSources: ["nowhere"] })])!,
    /Plugin 'idle' is loaded but unused as not compatible with any known event source/,
  );
  assertMatch(pluginsMistake([pluginInfo({ source: "syscall" })])!, /reserved/);
  const twin = pluginInfo({ name: "twin", source: "twins", fields: [] });
  assertEquals(
    pluginsMistake([pluginInfo(), twin]),
    "Plugin 'twin' has the ID of plugin 'texts': found another plugin with ID 998",
  );
  const raw = { id: 0, source: "", fields: [], capabilities: ["sourcing" as const] };
  assertEquals(pluginsMistake([pluginInfo({ ...raw, name: "a" }), pluginInfo(raw)]), undefined);
});

Deno.test("saker's own fields of Falco's plugins give way to any plugin's, but not to two", () => {
  // As those for the audit logs of clouds, whatever they are called.
  const cloud = (name: string) =>
    pluginInfo({ name, id: name.length, source: "k8s_audit", fields: [pluginField("ka.verb")] });
  assertEquals(pluginsMistake([cloud("k8saudit-gke")]), undefined);
  const given = fieldSets([cloud("k8saudit-gke")], {}).get("k8s_audit")!;
  assertEquals(given.get("ka.verb")?.flags.has("of_plugin"), true);
  assertMatch(
    pluginsMistake([cloud("k8saudit"), cloud("k8saudit-gke")])!,
    /extraction of field .ka.verb. that is overlapping for source .k8s_audit/,
  );
  const smeta = lone({ name: "pods", fields: [pluginField("k8s.pod.name")] });
  assertEquals(pluginsMistake([smeta]), undefined);
});
