// Alerts as saker prints them, for a comparison: of a rule that matched in this process, or of a
// built binary that is run with arguments.
import { formatJson, type FormatOptions } from "../../src/alerts/format/format.ts";
import type { CompiledRule } from "../../src/rules/rule_set.ts";
import type { Context } from "../../src/state/contract/context.ts";
import { type ComparedAlert, linesOf, parseAlert } from "./alert_stream.ts";

/** The alert of a rule on the event that the context shows. */
export function comparedAlert(
  rule: CompiledRule,
  context: Context,
  { hostname, sequence }: { readonly hostname: string; readonly sequence: number },
  format: FormatOptions,
): ComparedAlert {
  const { message, fields } = rule.render(context);
  return parseAlert(formatJson({
    hostname,
    message,
    outputFields: fields,
    priority: rule.priority,
    rule: rule.name,
    source: rule.source,
    tags: rule.tags,
    time: context.event.time(),
    sequence,
    degraded: false,
  }, format));
}

/** Runs the binary, and ends it where nobody wants more. */
export async function* printedAlerts(
  binary: string,
  args: readonly string[],
  hostname: string,
): AsyncGenerator<ComparedAlert> {
  const child = new Deno.Command(binary, {
    args: [...args],
    env: { FALCO_HOSTNAME: hostname, TZ: "UTC" },
    stdout: "piped",
    stderr: "null",
  }).spawn();
  try {
    for await (const line of linesOf(child.stdout)) {
      if (line.startsWith("{")) yield parseAlert(line);
    }
  } finally {
    try {
      child.kill("SIGTERM");
    } catch {
      // It has ended.
    }
    await child.status;
  }
}
