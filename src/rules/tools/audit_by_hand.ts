// Audit events written by hand: an event as YAML in, its JSON out, with what every audit event has
// where the author left it out.
import type { AuditChunk, AuditInput } from "../../audit/read/audit_input.ts";
import type { MapNode, YamlNode } from "../read/yaml_node.ts";

const DEFAULTS: Readonly<Record<string, string>> = {
  kind: "Event",
  auditID: "by hand",
  stage: "ResponseComplete",
  stageTimestamp: "2026-01-01T00:00:00Z",
};

/** The event's JSON, in one line. */
export function auditJson(node: MapNode): string {
  const given = new Set(node.entries.map(({ key }) => key.text));
  const parts = Object.entries(DEFAULTS).filter(([key]) => !given.has(key))
    .map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  return `{${[...parts, ...members(node)].join(",")}}`;
}

function members({ entries }: MapNode): string[] {
  return entries.map(({ key, value }) => `${JSON.stringify(key.text)}:${json(value)}`);
}

function json(node: YamlNode): string {
  switch (node.kind) {
    case "map":
      return `{${members(node).join(",")}}`;
    case "seq":
      return `[${node.items.map(json).join(",")}]`;
    case "scalar":
      if (node.isNull) return "null";
      return PLAIN.test(node.text) ? node.text : JSON.stringify(node.text);
  }
}

const PLAIN = /^(true|false|0|-?[1-9][0-9]*)$/;

/** The events, once. */
export function inputOf(events: readonly string[]): AuditInput {
  let left: AuditChunk | undefined = {
    bytes: new TextEncoder().encode(events.join("\n")),
    isLines: true,
  };
  return {
    name: "by hand",
    take(): AuditChunk | "ended" {
      const taken = left;
      left = undefined;
      return taken ?? "ended";
    },
    judged() {},
    wait() {},
    close() {},
  };
}
