// Where commands write and what they ask their surroundings: handed to each command, so that
// tests can give them something else.

export interface Terminal {
  /** Writes to standard output at once; throws PipeClosed where its reader has gone. */
  out(text: string): void;
  /** Writes to standard error; never throws, since nobody could be told. */
  error(text: string): void;
  readonly outIsTerminal: boolean;
  readonly errorIsTerminal: boolean;
  /** Colour on standard output: it is a terminal and NO_COLOR is not set. */
  readonly colour: boolean;
  environment(name: string): string | undefined;
}

/** Standard output has no reader any more: the command ends quietly. */
export class PipeClosed extends Error {
  override readonly name = "PipeClosed";
}

export function systemTerminal(): Terminal {
  const encoder = new TextEncoder();
  const outIsTerminal = Deno.stdout.isTerminal();
  return {
    out(text: string): void {
      let bytes = encoder.encode(text);
      try {
        while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
      } catch (error) {
        if (error instanceof Deno.errors.BrokenPipe) throw new PipeClosed();
        throw error;
      }
    },
    error(text: string): void {
      let bytes = encoder.encode(text);
      try {
        while (bytes.length > 0) bytes = bytes.subarray(Deno.stderr.writeSync(bytes));
      } catch {
        // Nobody reads it.
      }
    },
    outIsTerminal,
    errorIsTerminal: Deno.stderr.isTerminal(),
    colour: outIsTerminal && (Deno.env.get("NO_COLOR") ?? "") === "",
    environment: (name) => Deno.env.get(name),
  };
}
