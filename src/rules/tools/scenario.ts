// Tests of rules, kept beside them: a YAML file that names rules files and lists cases. A case has
// events written by hand, or a capture, and says which rules must fire and which must not.
//
//   rules: [files.yaml]               # beside this file; absent: NAME.yaml for NAME_test.yaml
//   cases:
//     - name: a reader of shadow is told
//       events:
//         - type: openat
//           fields: { evt.is_open_read: true, fd.name: /etc/shadow, proc.name: cat }
//       fires: [Read sensitive file]  # each at one event at least
//       quiet: [Write below etc]      # none of them; `quiet: others` is all that are not in fires
//     - name: a recorded intrusion
//       capture: intrusion.scap       # or an audit log, log.jsonl
//       fires: [Reverse shell]
//     - name: a shell in a pod
//       audit:                        # events of Kubernetes' audit log
//         - verb: get
//           objectRef: { resource: pods, subresource: exec }
//       fires: [Shell in a pod]
//     - name: a badge at the vault
//       source: doors                 # of a plugin that the configuration loads
//       events:
//         - fields: { door.name: vault, door.badge: 4711 }
//       fires: [Strange badge]
//
// All rules are tried, also those that are switched off, and all that match fire.
import { readDocuments } from "../read/document.ts";
import { Lines } from "../read/lines.ts";
import type { MapNode, YamlNode } from "../read/yaml_node.ts";
import { auditJson } from "./audit_by_hand.ts";
import { type HandEvent, readHandEvent } from "./hand_event.ts";
import { nearest } from "../../words/nearest.ts";
import type { FieldLookup } from "../check/operand.ts";

export interface Scenario {
  readonly name: string;
  readonly line: number;
  /** Of the events by hand. */
  readonly source: string;
  readonly events: readonly HandEvent[];
  /** JSON of audit events. */
  readonly audit: readonly string[];
  /** As written, to be looked for beside the test's file. */
  readonly capture: string | undefined;
  readonly fires: readonly string[];
  readonly quiet: readonly string[] | "others";
}

export interface ScenarioFile {
  /** As written; undefined where the file does not say. */
  readonly rules: readonly string[] | undefined;
  readonly scenarios: readonly Scenario[];
  /** `file:line:column: what is wrong`. */
  readonly errors: readonly string[];
}

/** What cases may name besides system calls. */
export interface OtherSources {
  /** Fields by source. */
  readonly fields: ReadonlyMap<string, FieldLookup>;
  /** Names of asynchronous events that plugins give. */
  readonly asyncNames: ReadonlySet<string>;
}

const NO_OTHERS: OtherSources = { fields: new Map(), asyncNames: new Set() };

const SYSCALLS = "syscall";

/** Reads a file of tests; `lookup`: fields of system calls. */
export function readScenarios(
  file: string,
  text: string,
  lookup: FieldLookup,
  others = NO_OTHERS,
): ScenarioFile {
  return new Reader(file, text, lookup, others).read();
}

/** Names of rules that a file's cases use but that are not there. */
export function unknownRules(
  file: ScenarioFile,
  known: ReadonlySet<string>,
): string[] {
  const errors: string[] = [];
  for (const { name, line, fires, quiet } of file.scenarios) {
    for (const rule of [...fires, ...quiet === "others" ? [] : quiet]) {
      if (known.has(rule)) continue;
      const near = nearest(rule, known);
      const hint = near === undefined ? "" : `, did you mean "${near}"?`;
      errors.push(`line ${line}: case "${name}": there is no rule "${rule}"${hint}`);
    }
  }
  return errors;
}

class Reader {
  readonly #file: string;
  readonly #text: string;
  readonly #lines: Lines;
  readonly #lookup: FieldLookup;
  readonly #others: OtherSources;
  readonly #errors: string[] = [];

  constructor(file: string, text: string, lookup: FieldLookup, others: OtherSources) {
    this.#file = file;
    this.#text = text;
    this.#lines = new Lines(text);
    this.#lookup = lookup;
    this.#others = others;
  }

  read(): ScenarioFile {
    const { roots, errors } = readDocuments(this.#text);
    for (const { message, at } of errors) this.#fail(message, at);
    let rules: readonly string[] | undefined;
    const scenarios: Scenario[] = [];
    for (const root of roots) {
      if (root.kind !== "map") {
        this.#fail("a file of tests is a map with the keys rules and cases", root.at);
        continue;
      }
      for (const { key, value } of root.entries) {
        if (key.text === "rules") rules = this.#texts(value, "rules");
        else if (key.text === "cases") scenarios.push(...this.#cases(value));
        else this.#fail(`unknown key "${key.text}", known are rules and cases`, key.at);
      }
    }
    return { rules, scenarios, errors: this.#errors };
  }

  #cases(node: YamlNode): Scenario[] {
    if (node.kind !== "seq") {
      this.#fail("cases must be a list", node.at);
      return [];
    }
    return node.items.flatMap((item) => {
      if (item.kind === "map") return [this.#case(item)];
      this.#fail("a case is a map with the keys name, events or capture, fires, quiet", item.at);
      return [];
    });
  }

  #case(node: MapNode): Scenario {
    let name = "";
    let capture: string | undefined;
    let fires: string[] = [];
    let quiet: string[] | "others" = [];
    const events: HandEvent[] = [];
    const audit: string[] = [];
    const source = this.#source(node);
    for (const { key, value } of node.entries) {
      const text = value.kind === "scalar" ? value.text : "";
      if (key.text === "source") continue;
      if (key.text === "name") name = text;
      else if (key.text === "capture") capture = text;
      else if (key.text === "fires") fires = this.#texts(value, "fires");
      else if (key.text === "quiet") {
        quiet = text === "others" ? "others" : this.#texts(value, "quiet");
      } else if (key.text === "audit") {
        for (const item of value.kind === "seq" ? value.items : [value]) {
          if (item.kind === "map") audit.push(auditJson(item));
          else this.#fail("an audit event is a map", item.at);
        }
      } else if (key.text === "event") this.#event(value, source, events);
      else if (key.text === "events") {
        if (value.kind === "seq") value.items.forEach((item) => this.#event(item, source, events));
        else this.#fail("events must be a list", value.at);
      } else {
        this.#fail(
          `unknown key "${key.text}", a case has name, source, events, audit, capture, ` +
            "fires and quiet",
          key.at,
        );
      }
    }
    if (name === "") this.#fail("a case needs a name", node.at);
    const given = [events.length > 0, audit.length > 0, capture !== undefined];
    if (given.filter((one) => one).length !== 1) {
      this.#fail(`case "${name}" needs either events or a capture`, node.at);
    }
    if (fires.length === 0 && quiet.length === 0) {
      this.#fail(`case "${name}" says neither what fires nor what is quiet`, node.at);
    }
    const { line } = this.#lines.at(node.at);
    return { name, line: line + 1, source, events, audit, capture, fires, quiet };
  }

  /** Of the case's events by hand. */
  #source(node: MapNode): string {
    const value = node.entries.find(({ key }) => key.text === "source")?.value;
    if (value === undefined) return SYSCALLS;
    const source = value.kind === "scalar" ? value.text : "";
    if (source === SYSCALLS || this.#others.fields.has(source)) return source;
    const known = [...new Set([SYSCALLS, ...this.#others.fields.keys()])];
    this.#fail(
      `there is no source "${source}": expected ${known.join(", ")}, or that of a plugin which ` +
        "the configuration loads",
      value.at,
    );
    return SYSCALLS;
  }

  #event(node: YamlNode, source: string, events: HandEvent[]): void {
    if (node.kind !== "map") return this.#fail("an event is a map of type and fields", node.at);
    const { fields, asyncNames } = this.#others;
    const lookup = fields.get(source) ?? this.#lookup;
    const read = readHandEvent(node, lookup, { source, asyncNames });
    if ("event" in read) events.push(read.event);
    else for (const { message, at } of read.errors) this.#fail(message, at);
  }

  #texts(node: YamlNode, key: string): string[] {
    if (node.kind === "scalar") return node.isNull ? [] : [node.text];
    if (node.kind === "seq") {
      return node.items.flatMap((item) => item.kind === "scalar" ? [item.text] : []);
    }
    this.#fail(`${key} must be a name or a list of names`, node.at);
    return [];
  }

  #fail(message: string, at: number): void {
    const { line, column } = this.#lines.at(at);
    this.#errors.push(`${this.#file}:${line + 1}:${column + 1}: ${message}`);
  }
}
