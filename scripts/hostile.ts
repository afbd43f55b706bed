// deno-lint-ignore-file no-console -- A script talks to the person who started it.
// Hostile inputs against the built saker, under limits of time and memory: damaged and oversized
// captures, rules, configuration, requests, signals. The same seed gives the same inputs.
//
//   scripts/test hostile                           the short run of CI
//   deno run -A scripts/hostile.ts --long          hundreds of inputs, captures at their full size
//   deno run -A scripts/hostile.ts --seed 7        another run of the same kind
import { Chance } from "./hostile/chance.ts";
import { hostileInputs, shapedCaptures } from "./hostile/inputs.ts";
import { type Limits, trial } from "./hostile/trial.ts";
import { abuse } from "./hostile/watching.ts";

const SAKER = new URL("../dist/saker", import.meta.url).pathname;
const SHORT = { rounds: 3, share: 0.01, requests: 200 };
const LONG = { rounds: 100, share: 1, requests: 20_000 };
/** A machine that is busy with other things makes no input hostile. */
const LIMITS: Limits = { seconds: 120, megabytes: 300 };

async function main(args: readonly string[]): Promise<number> {
  const { rounds, share, requests } = args.includes("--long") ? LONG : SHORT;
  const seed = Number(args[args.indexOf("--seed") + 1] ?? 1) || 1;
  const chance = new Chance(seed);
  const directory = Deno.makeTempDirSync({ prefix: "saker-hostile-" });
  let passed = 0;
  let failed = 0;
  let peak = 0;
  const judge = (what: string, fault: string | undefined) => {
    if (fault === undefined) passed++;
    else {
      failed++;
      console.log(`FAILED ${what}: ${fault} (seed ${seed}; files in ${directory})`);
    }
  };
  try {
    for await (const { what, args } of hostileInputs(directory, chance, rounds)) {
      const { fault, peakMegabytes } = await trial(SAKER, args, LIMITS);
      peak = Math.max(peak, peakMegabytes);
      judge(what, fault);
    }
    for await (const { what, args } of shapedCaptures(directory, share)) {
      const { fault, peakMegabytes } = await trial(SAKER, args, LIMITS);
      peak = Math.max(peak, peakMegabytes);
      judge(what, fault);
    }
    if (Deno.uid() === 0) {
      const { megabytes } = LIMITS;
      const watched = await abuse({ saker: SAKER, directory, chance, requests, megabytes });
      for (const [what, fault] of watched.faults) judge(`a watch ${what}`, fault);
    }
  } finally {
    if (failed === 0) Deno.removeSync(directory, { recursive: true });
  }
  console.log(`seed ${seed}: ${passed + failed} inputs, at most ${Math.round(peak)} MB`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
