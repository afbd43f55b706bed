// A plugin's fields as rows like all others. Where the plugin does not run (another thread, a
// check of rules), they have no value.
import { type Field, type FieldFlag, UNDECIDED, type Value } from "../fields/row/field.ts";
import { type ArgumentInfo, type Reader, withArgument } from "../fields/row/row.ts";
import { codeOf, type ParamFormat, type ParamType } from "../events/table.ts";
import type { Context } from "../state/contract/context.ts";
import type { PluginArgument, PluginField, PluginFieldType, PluginInfo } from "./contract.ts";
import type { CallTexts } from "./call_texts.ts";
import type { PluginHand } from "./plugin_hand.ts";
import { isCompatible } from "./compatible.ts";

const PLUGIN_EVENT = codeOf("PLUGINEVENT_E");

const TYPES: Readonly<Record<PluginFieldType, readonly [ParamType, ParamFormat]>> = {
  string: ["CHARBUF", "NA"],
  uint64: ["UINT64", "DEC"],
  bool: ["BOOL", "NA"],
  reltime: ["RELTIME", "DEC"],
  abstime: ["ABSTIME", "DEC"],
  ipaddr: ["IPADDR", "NA"],
  ipnet: ["IPNET", "NA"],
};

/** `hand`: where the plugin runs; `texts`: how it is shown system calls, if it is. */
export function pluginRows(
  info: PluginInfo,
  hand: PluginHand | undefined,
  texts?: CallTexts,
): Field[] {
  const codes = codesOf(info);
  return info.fields.map((one, place) => {
    const [type, format] = TYPES[one.type];
    const { name, isList, description } = one;
    const row = { name, type, format, isList, description, flags: flagsOf(one, texts) };
    return withArgument(info.name, row, argumentOf(one), (text) => {
      const given = readArgument(one, text);
      if (given !== undefined && "error" in given) return given;
      return readerOf(hand?.reader(place, given, texts), codes);
    });
  });
}

/** Events of other types have no value, and the plugin is not asked. */
function readerOf(
  read: ((context: Context) => Value) | undefined,
  codes: ReadonlySet<number> | undefined,
): Reader {
  if (read === undefined) return { extract: () => undefined };
  if (codes === undefined) return { extract: read };
  return {
    extract: (context) => codes.has(context.event.code) ? read(context) : undefined,
    ofCode: (code) => codes.has(code) ? UNDECIDED : undefined,
  };
}

/** Undefined: of all events. */
function codesOf(info: PluginInfo): ReadonlySet<number> | undefined {
  if (info.extractEventTypes.length > 0) return new Set(info.extractEventTypes);
  return isCompatible(info, "syscall") ? undefined : new Set([PLUGIN_EVENT]);
}

function flagsOf(
  { addOutput, properties }: PluginField,
  texts: CallTexts | undefined,
): FieldFlag[] {
  return [
    "of_plugin",
    ...(texts === undefined ? [] : ["shows_call" as const]),
    ...(addOutput ? ["suggested" as const] : []),
    ...(properties.includes("hidden") ? ["hidden" as const] : []),
  ];
}

function argumentOf({ argument }: PluginField): ArgumentInfo | null {
  if (argument === undefined || !(argument.isIndex || argument.isKey)) return null;
  return {
    required: argument.isRequired,
    kinds: [
      ...(argument.isIndex ? ["INDEX" as const] : []),
      ...(argument.isKey ? ["KEY" as const] : []),
    ],
  };
}

function readArgument(
  { name, argument }: PluginField,
  text: string | undefined,
): PluginArgument | undefined | { readonly error: string } {
  if (text === undefined || argument === undefined) return undefined;
  if (!argument.isIndex) return { key: text };
  const index = /^(0|[1-9]\d*)$/.test(text) ? Number(text) : undefined;
  // As Falco has it: a number is a key, too, where keys can be given, and `01` is no index.
  if (argument.isKey) {
    return Number.isSafeInteger(index) ? { key: text, index: index! } : { key: text };
  }
  if (index === undefined) {
    const what = /^\d+$/.test(text) ? "starting with 0" : "not composed only by digits";
    return { error: `${name} has an invalid index argument ${what}: ${text}` };
  }
  if (Number.isSafeInteger(index)) return { index };
  return { error: `${name} has an index that is out of bounds: ${text}` };
}
