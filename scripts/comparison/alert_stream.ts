// Falco's recorded alerts: a gzipped file of JSON lines comes in, alerts go out one at a time.
// Numbers are exact: those that a double cannot hold become bigints.

/** A value of `output_fields`. */
export type Json = string | number | bigint | boolean | null | undefined | readonly Json[];

/** An alert as far as it is compared. */
export interface ComparedAlert {
  /** As the file has it, to the nanosecond: `2026-03-02T09:01:37.042458326Z`. */
  readonly time: string;
  readonly rule: string;
  readonly priority: string;
  readonly source: string;
  readonly tags: readonly string[];
  /** The message, where it is recorded. */
  readonly output: string | undefined;
  readonly fields: ReadonlyMap<string, Json>;
}

/** Reads the alerts of a file such as p01-sensitive-files.all.jsonl.gz, a few lines in memory. */
export async function* readAlerts(path: string): AsyncGenerator<ComparedAlert> {
  const file = await Deno.open(path, { read: true });
  for await (const line of linesOf(file.readable.pipeThrough(new DecompressionStream("gzip")))) {
    if (line !== "") yield parseAlert(line);
  }
}

/** The lines of a stream of UTF-8. */
export async function* linesOf(
  bytes: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of bytes.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/** One alert from its line of JSON. */
export function parseAlert(line: string): ComparedAlert {
  const parsed = JSON.parse(line, exactNumber) as Record<string, unknown>;
  return {
    time: String(parsed["time"]),
    rule: String(parsed["rule"]),
    priority: String(parsed["priority"]),
    source: String(parsed["source"]),
    tags: parsed["tags"] as string[],
    output: parsed["output"] as string | undefined,
    fields: new Map(Object.entries((parsed["output_fields"] ?? {}) as Record<string, Json>)),
  };
}

/** A reviver: the third argument has the number as it is written. */
function exactNumber(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? "";
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
}
