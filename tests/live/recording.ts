// A recording that is made with the alerts beside it: the built binary records while something
// acts, and is told to end; what it printed comes out.
import { eventually, lines, SAKER } from "./saker.ts";

export interface Recording {
  readonly code: number;
  /** Its alerts, a line each, without the word that a busy machine had cost it events before. */
  readonly stdout: string;
  /** Its messages. */
  readonly told: readonly string[];
}

/** What is printed when it ends waits for a reader that may have no time just then. */
const PATIENT = ["-o", "output_timeout=60000"];
/** In alerts: a replay knows nothing of what the driver had lost. */
const [LOST, WHOLE] = ['{"degraded":true,', '{"degraded":false,'];

/** `settings` stand before the command. */
export async function recorded(
  capture: string,
  settings: readonly string[],
  act: () => Promise<unknown>,
): Promise<Recording> {
  const child = new Deno.Command(SAKER, {
    args: [...settings, ...PATIENT, "record", capture, "--alerts"],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stdout = new Response(child.stdout).text();
  const told: string[] = [];
  const reading = (async () => {
    for await (const line of lines(child.stderr)) told.push(line);
  })();
  await eventually("saker to record", () => told.find((line) => /is recording/.test(line)));
  await act();
  child.kill("SIGINT");
  const { code } = await child.status;
  await reading;
  return { code, stdout: (await stdout).replaceAll(LOST, WHOLE), told };
}
