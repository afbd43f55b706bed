// Where metrics go by the configuration, and what is told of a file that takes none.
import { match, strictEqual } from "node:assert";
import { readConfig } from "../../config/read_config.ts";
import type { Alert } from "../../engine/contract/alert.ts";
import { facts } from "../../metrics/facts_fixture.ts";
import { makeMetrics } from "./metrics.ts";

function configOf(...options: string[]) {
  return readConfig({
    file: undefined,
    options: options.map((option) => `metrics.${option}`),
    environment: () => undefined,
  }).config;
}

/** Begins, waits until that many alerts or lines were told, and ends. */
async function told(options: readonly string[], wanted: { alerts: number; lines: number }) {
  const lines: string[] = [];
  const alerts: Alert[] = [];
  const config = configOf("enabled=true", ...options);
  const metrics = makeMetrics({ config, facts: facts(), warn: (line) => lines.push(line) });
  metrics.begin((sent) => alerts.push(...sent));
  while (alerts.length < wanted.alerts || lines.length < wanted.lines) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  metrics.close();
  return { lines, alerts };
}

Deno.test("metrics are alerts where they are wanted as such", async () => {
  const { alerts } = await told(["interval=100ms", "output_rule=true"], { alerts: 2, lines: 0 });
  strictEqual(alerts[0]!.rule, "Falco internal: metrics snapshot");
});

Deno.test("a file that cannot be written is told by its key, once", async () => {
  // Slow enough for the file's thread to begin on a busy machine.
  const file = "output_file=/no/such/directory/m.jsonl";
  const { lines } = await told([file, "interval=1s", "output_rule=true"], { alerts: 2, lines: 1 });
  strictEqual(lines.length, 1);
  match(lines[0]!, /^Warning: metrics\.output_file: Cannot write to \/no\/such.*no such file/);
});
