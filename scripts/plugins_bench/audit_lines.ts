/// <reference path="../../plugins/saker-plugin.d.ts" />
// Audit events of a file, one a line, as scripts/bench plugins reads them through a plugin in
// TypeScript: the same source and fields as tests/plugins/audit_lines.c.
import { defineFields, defineSource, type SourceEvent } from "saker/plugin";

export const plugin = { name: "k8saudit", version: "0.18.0" };
export const permissions = (_config: unknown, params: string) => ({ read: [params] });

export const source = defineSource({
  name: "k8s_audit",
  id: 1,
  async *events(params) {
    const { readable } = await Deno.open(params);
    let left = "";
    for await (const text of readable.pipeThrough(new TextDecoderStream())) {
      const lines = (left + text).split("\n");
      left = lines.pop()!;
      yield* lines;
    }
  },
});

const text = (desc: string, value: (event: SourceEvent) => string | undefined) => ({
  type: "string" as const,
  desc,
  value,
});

export const fields = defineFields({
  "ka.verb": text("The verb", ({ json }) => json?.verb),
  "ka.stage": text("The stage", ({ json }) => json?.stage),
  "ka.uri": text("The address", ({ json }) => json?.requestURI),
  "ka.user.name": text("Who asked", ({ json }) => json?.user?.username),
  "ka.target.name": text("What for", ({ json }) => json?.objectRef?.name),
  "ka.target.subresource": text("Of what", ({ json }) => json?.objectRef?.subresource),
});
