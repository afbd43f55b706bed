// The metrics of a run whose configuration may change under way: those of the present one. Settings
// that cannot be are told and change nothing.
import type { Config } from "../../config/schema.ts";
import type { Alert } from "../../engine/contract/alert.ts";
import { makeMetrics, type Metrics, type MetricsOptions } from "./metrics.ts";

export class LiveMetrics {
  readonly #options: MetricsOptions;
  #present: Metrics;
  #keys: string;
  #send: ((alerts: readonly Alert[]) => void) | undefined;

  /** Throws where they are wanted and nobody would be told. */
  constructor(options: MetricsOptions) {
    this.#options = options;
    this.#present = makeMetrics(options);
    this.#keys = keysOf(options.config);
  }

  /** What Prometheus is answered; undefined where it is not to be. */
  get text(): (() => string) | undefined {
    return this.#present.text;
  }

  begin(send: (alerts: readonly Alert[]) => void): void {
    this.#send = send;
    this.#present.begin(send);
  }

  /** Goes by another configuration; why it does not. */
  exchange(config: Config): string | undefined {
    // Whose keys are the same goes on counting its interval.
    if (keysOf(config) === this.#keys) return undefined;
    let next: Metrics;
    try {
      next = makeMetrics({ ...this.#options, config });
    } catch (error) {
      return (error as Error).message;
    }
    this.#present.close();
    this.#present = next;
    this.#keys = keysOf(config);
    if (this.#send !== undefined) next.begin(this.#send);
    return undefined;
  }

  close(): void {
    this.#present.close();
  }
}

function keysOf({ metrics, webserver }: Config): string {
  return JSON.stringify([metrics, webserver.prometheus_metrics_enabled]);
}
