// deno-lint-ignore-file no-console -- A script talks to the person who started it.
// What many hosts cost: at a host, in the stream, at the page. The hosts are simulated (a process
// with a connection for each, or fewer where that is said) but for the part `host`, which is a real
// saker. Out: figures for docs/scale.md, each with the load of the machine.
import { atHost } from "./fleet_bench/at_host.ts";
import { PARTS } from "./fleet_bench/parts.ts";

const ALL = { host: atHost, ...PARTS };
const USAGE = `usage: scripts/bench fleet [PART...]
  parts: ${Object.keys(ALL).join(", ")}; none: all of them
  SAKER=PATH another executable than the one that is built`;

async function main(names: readonly string[]): Promise<number> {
  const chosen = names.length === 0 ? Object.keys(ALL) : names;
  if (chosen.some((name) => !Object.hasOwn(ALL, name)) || Deno.uid() !== 0) {
    console.error(Deno.uid() === 0 ? USAGE : "saker: bench fleet needs root");
    return 1;
  }
  for (const name of chosen) {
    console.log(`== ${name}`);
    await ALL[name as keyof typeof ALL]((line) =>
      console.log(`${line} (load ${Deno.loadavg()[0]!.toFixed(1)})`)
    );
  }
  return 0;
}

Deno.exit(await main(Deno.args));
