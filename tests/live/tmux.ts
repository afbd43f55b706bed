// A real terminal for tests: tmux, which scripts/setup has unpacked, with a command in a window of
// a given size; what its screen shows can be read, keys be pressed, its size changed.
import { existsSync } from "node:fs";
import { assert } from "./expect.ts";
import { eventually } from "./saker.ts";
import type { Place } from "./trigger.ts";

const cache = Deno.env.get("SAKER_CACHE") ?? `${Deno.env.get("HOME") ?? ""}/.cache/saker`;
const ROOT = `${cache}/tools/tmux`;
const PROGRAM = `${ROOT}/usr/bin/tmux`;
const ENV = {
  LD_LIBRARY_PATH: `${ROOT}/usr/lib/x86_64-linux-gnu`,
  LC_ALL: "C.UTF-8",
  TERM: "xterm-256color",
};

/** Whether scripts/setup could have it, and it runs here. */
export function hasTmux(): boolean {
  if (!existsSync(PROGRAM)) return false;
  return new Deno.Command(PROGRAM, { args: ["-V"], env: ENV, stdout: "null", stderr: "null" })
    .outputSync().success;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export class Tmux implements AsyncDisposable {
  readonly #socket: string;

  private constructor(socket: string) {
    this.#socket = socket;
  }

  /** Runs a shell's script in a window; the window stays when it has ended. */
  static async open(
    place: Place,
    script: string,
    { columns, rows }: Size,
    env: Readonly<Record<string, string>> = {},
  ): Promise<Tmux> {
    const tmux = new Tmux(place.file(`tmux-${crypto.randomUUID().slice(0, 8)}`));
    const variables = Object.entries({ NO_COLOR: "", ...env })
      .flatMap(([name, value]) => ["-e", `${name}=${value}`]);
    await tmux.#run([
      ...["-f", "/dev/null", "new-session", "-d", "-x", `${columns}`, "-y", `${rows}`],
      ...[...variables, "sh", "-c", `trap : INT; ${script}; exec sleep 1000`],
    ]);
    return tmux;
  }

  /** Lines of the screen, without blanks at their ends. */
  async lines(): Promise<string[]> {
    return (await this.#run(["capture-pane", "-p"])).split("\n").map((line) => line.trimEnd());
  }

  /** The screen with its colours, as escapes. */
  coloured(): Promise<string> {
    return this.#run(["capture-pane", "-p", "-e"]);
  }

  /** What has scrolled off too; `joined`: what the terminal broke for want of columns is one. */
  async history(joined = false): Promise<string[]> {
    const text = await this.#run(["capture-pane", "-p", "-S", "-2000", ...joined ? ["-J"] : []]);
    return text.split("\n").map((line) => line.trimEnd());
  }

  /** Names as tmux has them: `C-c`, `Enter`, `q`. */
  async press(...keys: readonly string[]): Promise<void> {
    await this.#run(["send-keys", ...keys]);
  }

  async resize({ columns, rows }: Size): Promise<void> {
    await this.#run(["resize-window", "-x", `${columns}`, "-y", `${rows}`]);
  }

  /** What the window says of itself: `cursor_flag`, `alternate_on`. */
  async told(name: string): Promise<string> {
    return (await this.#run(["display-message", "-p", `#{${name}}`])).trimEnd();
  }

  /** Waits for a screen on which this holds. Its failure shows nothing of the screen, which may
   * name processes of others. */
  until(what: string, holds: (lines: readonly string[]) => boolean): Promise<string[]> {
    return eventually(`the terminal to show ${what}`, async () => {
      const lines = await this.lines();
      return holds(lines) ? lines : undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#run(["kill-server"]).catch(() => {});
  }

  async #run(args: readonly string[]): Promise<string> {
    const { success, stdout, stderr } = await new Deno.Command(PROGRAM, {
      args: ["-u", "-S", this.#socket, ...args],
      env: ENV,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    assert(success, `tmux ${args[0]}: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout);
  }
}
