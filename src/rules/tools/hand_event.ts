// Events written by hand: a type and the values of fields, as YAML. Fields that are not given have
// no value, but for those that follow from others (`evt.dir`, `fd.directory`, `proc.pname` …).
import { EVENTS } from "../../events/table.ts";
import type { Bound, Value } from "../../fields/row/field.ts";
import { familyOf } from "../../fields/compare/operators.ts";
import { bytesOf } from "../../words/raw_text.ts";
import { View } from "../../state/contract/views.ts";
import type { Seen } from "./explain.ts";
import type { MapNode, YamlNode } from "../read/yaml_node.ts";
import { ASYNC_EVENT, eventNames, isEventName } from "../check/event_types.ts";
import { nearest } from "../../words/nearest.ts";
import type { FieldLookup } from "../check/operand.ts";

export interface HandEvent {
  readonly type: string;
  /** The event's code as it would be recorded now. */
  readonly code: number;
  readonly values: ReadonlyMap<string, Value>;
  /** Its values under the caller's view, where `caller` gives any: `fields` are the kernel's. */
  readonly callerValues: ReadonlyMap<string, Value> | undefined;
}

export interface HandEventError {
  readonly message: string;
  readonly at: number;
}

/** Of which source an event by hand is. */
export interface HandSource {
  readonly source: string;
  /** Names of asynchronous events that plugins give. */
  readonly asyncNames: ReadonlySet<string>;
}

const OF_SYSCALLS: HandSource = { source: "syscall", asyncNames: new Set() };
/** What events of other sources are, unless they say otherwise. */
const PLUGIN_EVENT = "pluginevent";

/** Reads `{ type: openat, fields: { fd.name: /etc/shadow }, caller: { fd.name: /tmp/link } }`. */
export function readHandEvent(
  node: MapNode,
  lookup: FieldLookup,
  { source, asyncNames }: HandSource = OF_SYSCALLS,
): { readonly event: HandEvent } | { readonly errors: readonly HandEventError[] } {
  const errors: HandEventError[] = [];
  let type = source === OF_SYSCALLS.source ? "" : PLUGIN_EVENT;
  const values = new Map<string, Value>();
  const caller = new Map<string, Value>();
  for (const { key, value } of node.entries) {
    if (key.text === "type") {
      type = value.kind === "scalar" ? value.text : "";
      if (!isEventName(type, asyncNames)) {
        const near = nearest(type, [...eventNames(), ...asyncNames]);
        errors.push({
          message: `unknown event type "${type}"${near ? `, did you mean ${near}?` : ""}`,
          at: value.at,
        });
      }
    } else if (key.text === "fields" || key.text === "caller") {
      if (value.kind !== "map") {
        errors.push({ message: `${key.text} must be a map of names and values`, at: value.at });
        continue;
      }
      const into = key.text === "fields" ? values : caller;
      for (const field of value.entries) readField(field.key, field.value, lookup, into, errors);
    } else {
      errors.push({
        message: `unknown key "${key.text}", an event has type, fields and caller`,
        at: key.at,
      });
    }
  }
  if (type === "" && errors.length === 0) {
    errors.push({ message: "an event needs a type, such as type: openat", at: node.at });
  }
  if (errors.length > 0) return { errors };
  const callerValues = caller.size === 0 ? undefined : new Map([...values, ...caller]);
  const code = asyncNames.has(type) ? ASYNC_EVENT : codeOfType(type);
  const about = { type, code, source };
  derive(about, values);
  if (callerValues !== undefined) derive(about, callerValues);
  return { event: { type, code, values, callerValues } };
}

/** How the event's fields are read, view by view. */
export function viewsOf({ values, callerValues }: HandEvent): readonly Seen[] {
  const kernel: Seen = { view: View.Kernel, read: (bound) => values.get(bound.text) };
  if (callerValues === undefined) return [kernel];
  return [kernel, { view: View.CallerProgram, read: (bound) => callerValues.get(bound.text) }];
}

function readField(
  key: { readonly text: string; readonly at: number },
  value: YamlNode,
  lookup: FieldLookup,
  values: Map<string, Value>,
  errors: HandEventError[],
): void {
  const found = lookup.resolve(key.text);
  if ("error" in found) {
    const hint = found.suggestion ? `, did you mean ${found.suggestion}?` : "";
    errors.push({ message: `${found.error}${hint}`, at: key.at });
    return;
  }
  const { bound } = found;
  const isList = bound.isList || bound.anyOf || bound.field.flags.has("both_ends");
  if (value.kind === "map" || (value.kind === "seq" && !isList)) {
    errors.push({ message: `${bound.text} takes one value`, at: value.at });
    return;
  }
  const scalars = value.kind === "seq" ? value.items : value.isNull ? [] : [value];
  const list: Value[] = [];
  for (const item of scalars) {
    const parsed = item.kind === "scalar" ? valueOf(item.text, bound) : undefined;
    if (parsed === undefined) {
      errors.push({
        message: `${bound.text} has type ${bound.type}, which this value is not`,
        at: item.at,
      });
      return;
    }
    list.push(parsed);
  }
  if (value.kind === "scalar" && value.isNull) values.delete(bound.text);
  else values.set(bound.text, isList ? list : list[0]);
}

/** A value that is written as text; undefined: it is none of the field's type. */
export function valueOf(text: string, { type }: Bound): Value {
  switch (familyOf(type)) {
    case "boolean":
      return text === "true" ? true : text === "false" ? false : undefined;
    case "buffer":
      return bytesOf(text);
    case "number": {
      if (type === "DOUBLE") return Number.isNaN(Number(text)) ? undefined : Number(text);
      if (!/^-?(0[xX][0-9a-fA-F]+|[0-9]+)$/.test(text)) return undefined;
      const value = text[0] === "-" ? -BigInt(text.slice(1)) : BigInt(text);
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    }
    default:
      return text;
  }
}

/** Values that follow from those given. */
function derive(
  { type, code, source }: { type: string; code: number; source: string },
  values: Map<string, Value>,
): void {
  const set = (field: string, value: Value) => {
    if (value !== undefined && !values.has(field)) values.set(field, value);
  };
  set("evt.type", type);
  set("evt.source", source);
  set("evt.dir", code % 2 === 1 || code === 0 ? "<" : ">");
  if (EVENTS[code]!.kind.includes("syscall")) set("syscall.type", type);
  set("evt.num", 1);
  const name = values.get("fd.name");
  if (typeof name === "string" && name.startsWith("/")) {
    const slash = name.lastIndexOf("/");
    set("fd.directory", name.slice(0, slash) || "/");
    set("fd.filename", name.slice(slash + 1));
    set("fd.nameraw", name);
  }
  const kind = values.get("fd.type");
  if (typeof kind === "string") set("fd.typechar", TYPE_CHARS[kind]);
  const result = values.get("evt.rawres");
  if (typeof result === "number") {
    set("evt.failed", result < 0);
    if (result >= 0) set("evt.res", "SUCCESS");
  }
  const own = values.get("proc.name");
  if (own !== undefined) set("proc.aname[0]", own);
  const parent = values.get("proc.pname") ?? values.get("proc.aname[1]");
  if (parent !== undefined) {
    set("proc.pname", parent);
    set("proc.aname", [parent]);
  }
  const ancestors = values.get("proc.aname");
  if (Array.isArray(ancestors)) {
    set("proc.pname", ancestors[0]);
    for (const [index, ancestor] of ancestors.entries()) set(`proc.aname[${index + 1}]`, ancestor);
  }
  // Nobody was handed to another parent where nothing else is said.
  for (const part of ["name", "exe", "exepath", "cmdline"]) {
    const born = `proc.birth.${part}`;
    const parent = values.get(`proc.p${part}`);
    const all = values.get(born) ?? values.get(`proc.a${part}`) ?? [parent];
    if (!Array.isArray(all) || all[0] === undefined) continue;
    if (!values.has(born)) set(`${born}[1]`, parent);
    set(born, all);
    for (const [index, ancestor] of all.entries()) set(`${born}[${index + 1}]`, ancestor);
  }
}

const TYPE_CHARS: Readonly<Record<string, string>> = {
  file: "f",
  directory: "d",
  ipv4: "4",
  ipv6: "6",
  unix: "u",
  pipe: "p",
  event: "e",
  signalfd: "s",
  eventpoll: "l",
  inotify: "i",
  timerfd: "t",
  netlink: "n",
  bpf: "b",
  userfaultfd: "u",
  io_uring: "r",
  memfd: "m",
  pidfd: "P",
};

/** The code under which such an event is recorded now: the newest, on its way out of the call. */
function codeOfType(type: string): number {
  const named = EVENTS.filter(({ name, code }) => code > 1 && name === type);
  const current = named.filter(({ flags }) => !flags.has("old_version") && !flags.has("unused"));
  const best = current.findLast(({ code }) => code % 2 === 1) ?? current.at(-1) ?? named.at(-1);
  if (best !== undefined) return best.code;
  return type.startsWith("container") ? ASYNC_EVENT : 1;
}
