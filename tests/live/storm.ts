// A storm of events of a test's own: files created and removed one after the other, each with a
// number, at a rate that the test bounds. In: a place. Out: how many there were; rules about them,
// and the number that an alert tells of.
import { type Place, PYTHON } from "./trigger.ts";

/** What is done between two files, and how many of them between two pauses. */
export interface StormOptions {
  readonly together: number;
  readonly pauseMs: number;
  /** Failing opens before each file. */
  readonly failing?: number;
}

const SCRIPT = `
import os, select, sys
place, together, pause, failing = sys.argv[2], *map(float, sys.argv[3:])
number = 0
# The pause is as long as nobody closes the input: no machine is too slow for what is left.
while not select.select([0], [], [], pause)[0]:
    for _ in range(int(together)):
        number += 1
        for _ in range(int(failing)):
            try: os.open(place + "/nothing/x", os.O_RDONLY)
            except OSError: pass
        os.close(os.open("%s/n/%d" % (place, number), os.O_WRONLY | os.O_CREAT, 0o600))
        os.unlink("%s/n/%d" % (place, number))
print(number)
`;

export class Storm implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #printed: Promise<string>;
  #ended: Promise<number> | undefined;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#printed = new Response(child.stdout).text();
  }

  static start(place: Place, { together, pauseMs, failing = 0 }: StormOptions): Storm {
    Deno.mkdirSync(place.file("n"), { recursive: true });
    const numbers = [together, pauseMs / 1000, failing].map(String);
    return new Storm(
      new Deno.Command(PYTHON, {
        args: ["-I", "-S", "-c", SCRIPT, place.marker, place.path, ...numbers],
        stdin: "piped",
        stdout: "piped",
      }).spawn(),
    );
  }

  /** Ends it; the number of the last file. */
  end(): Promise<number> {
    this.#ended ??= (async () => {
      await this.#child.stdin.close();
      await this.#child.status;
      return Number((await this.#printed).trim());
    })();
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}

/** A rule that each file of the storm matches once. */
export function stormRule(name: string, place: Place): string {
  return `- rule: ${name}
  desc: A numbered file was created.
  condition: >
    evt.type in (open, openat, openat2) and evt.is_open_create=true
    and fd.name startswith ${place.path}/n/
  output: Created %fd.name
  priority: WARNING
`;
}

/** The number of the file that an alert of such a rule tells of. */
export function stormNumber(alert: { readonly output: string }): number {
  return Number(/\/n\/(\d+)$/.exec(alert.output)?.[1]);
}
