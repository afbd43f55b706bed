// Two sakers that watch the same processes at once, one of them with the sieve in the kernel and
// one without. Wanted: the same alerts, byte for byte, but for the times that each read itself.
import { assertEquals } from "./expect.ts";
import { type Alert, Saker } from "./saker.ts";
import { type Place, shell } from "./trigger.ts";

/** Runs that are repeated where events were lost, which either saker may on a busy machine. */
const ATTEMPTS = 3;

/**
 * Alerts that a run's sakers had alike, once neither lost an event. Where one of them did every
 * time nothing was shown: the test says so by a step that it leaves out.
 */
export async function alikeWithoutLoss(
  t: Deno.TestContext,
  compare: () => Promise<number | "lossy">,
): Promise<number | undefined> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const told = await compare();
    if (told !== "lossy") return told;
  }
  const name = `skipped: a saker lost events in each of ${ATTEMPTS} runs`;
  await t.step({ name, ignore: true, fn() {} });
  return undefined;
}

export class Pair implements AsyncDisposable {
  readonly sieved: Saker;
  readonly whole: Saker;

  private constructor(sieved: Saker, whole: Saker) {
    this.sieved = sieved;
    this.whole = whole;
  }

  /** Both see whatever carries the place's marker. */
  static async start(place: Place, args: readonly string[]): Promise<Pair> {
    const start = (sieve: boolean) =>
      Saker.start([place.marker], { args: [...args, "-o", `engine.kernel_sieve=${sieve}`] });
    const sieved = await start(true);
    try {
      return new Pair(sieved, await start(false));
    } catch (error) {
      await sieved.stop();
      throw error;
    }
  }

  /** Waits until both have told of everything before; `rule` fires on a read of `file`. */
  async reach(place: Place, rule: string, file: string): Promise<void> {
    const marker = place.mark("reached");
    await shell(marker, `: < "$1"`, [file]);
    for (const saker of [this.sieved, this.whole]) await saker.alert(rule, marker);
  }

  /** How many alerts both have alike of those that `wanted` takes; throws where they differ, unless
   * one of them lost events. */
  async compare(wanted: (alert: Alert) => boolean): Promise<number | "lossy"> {
    const [sieved, whole] = [this.sieved, this.whole].map((saker) =>
      saker.alerts().filter(wanted).map(withoutTimes)
    );
    if (await this.#isLossy()) return "lossy";
    const firstAt = whole!.findIndex((line, index) => line !== sieved![index]);
    assertEquals(sieved![firstAt], whole![firstAt], `alert ${firstAt} of ${whole!.length}`);
    assertEquals(sieved!.length, whole!.length);
    return sieved!.length;
  }

  async #isLossy(): Promise<boolean> {
    for (const saker of [this.sieved, this.whole]) {
      const lost = (await saker.health())!.body.lost as { critical: number; bulk: number };
      if (lost.critical + lost.bulk > 0) return true;
    }
    return false;
  }

  /** Opens that the kernel kept back. */
  async passedOver(): Promise<number> {
    const passed_over = (await this.sieved.health())!.body.passed_over as {
      by_type: Record<string, number>;
    };
    return passed_over.by_type.openat ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.sieved.stop(), this.whole.stop()]);
  }
}

/** One line of an alert, in the order in which each saker told them. */
function withoutTimes({ rule, priority, output, output_fields, source, tags }: Alert): string {
  const fields = Object.entries(output_fields).filter(([name]) => !name.startsWith("evt.time"));
  const text = output.replace(/^[\d:.]+: /, "");
  return JSON.stringify({ rule, priority, text, fields, source, tags });
}
