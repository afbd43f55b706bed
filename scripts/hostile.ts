// deno-lint-ignore-file no-console -- A script talks to the person who started it.
// Hostile inputs against the built saker, under limits of time and memory: damaged and oversized
// captures, rules, configuration, requests, signals. The same seed gives the same inputs.
//
//   scripts/test hostile                           the short run of CI
//   deno run -A scripts/hostile.ts --long          hundreds of inputs, captures at their full size
//   deno run -A scripts/hostile.ts --seed 7        another run of the same kind
//   SAKER=PATH                                     another executable than the one that is built
import { Chance } from "./hostile/chance.ts";
import { hostileInputs, shapedCaptures } from "./hostile/inputs.ts";
import { type Limits, type Trial, trial } from "./hostile/trial.ts";
import { abuse } from "./hostile/watching.ts";

const SAKER = Deno.env.get("SAKER") ?? new URL("../dist/saker", import.meta.url).pathname;
const SHORT = { rounds: 2, share: 0.01, requests: 300 };
const LONG = { rounds: 60, share: 1, requests: 4_000 };
/** A machine that is busy with other things makes no input hostile. */
const LIMITS: Limits = { seconds: 120, megabytes: 300 };
/** Inputs that are tried at the same time. */
const AT_ONCE = 2;

/** What was tried of one kind. */
interface Count {
  passed: number;
  failed: number;
  /** The most that one took, seconds and MB. */
  seconds: number;
  megabytes: number;
}

async function main(args: readonly string[]): Promise<number> {
  const { rounds, share, requests } = args.includes("--long") ? LONG : SHORT;
  const seed = Number(args[args.indexOf("--seed") + 1] ?? 1) || 1;
  const chance = new Chance(seed);
  const directory = Deno.makeTempDirSync({ prefix: "saker-hostile-" });
  const counts = new Map<string, Count>();
  const judge = (kind: string, what: string, { fault, seconds, megabytes }: Trial) => {
    const count = counts.get(kind) ?? { passed: 0, failed: 0, seconds: 0, megabytes: 0 };
    counts.set(kind, count);
    count.seconds = Math.max(count.seconds, seconds);
    count.megabytes = Math.max(count.megabytes, megabytes);
    if (fault === undefined) return count.passed++;
    console.log(`FAILED ${what}: ${fault} (seed ${seed}; files in ${directory})`);
    return count.failed++;
  };
  const inputs = async function* () {
    yield* hostileInputs(directory, chance, rounds);
    yield* shapedCaptures(directory, share);
  }();
  const tryAll = async () => {
    for (let next = await inputs.next(); !next.done; next = await inputs.next()) {
      const { kind, what, args } = next.value;
      judge(kind, what, await trial(SAKER, args, LIMITS));
    }
  };
  let failed = 0;
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, tryAll));
    if (Deno.uid() === 0) {
      const { megabytes } = LIMITS;
      const watched = await abuse({ saker: SAKER, directory, chance, requests, megabytes });
      for (const [what, fault] of watched.faults) {
        judge("a watch", `a watch ${what}`, { ...watched, fault });
      }
    }
  } finally {
    failed = sum(counts, "failed");
    if (failed === 0) Deno.removeSync(directory, { recursive: true });
  }
  for (const [kind, { passed, failed, seconds, megabytes }] of counts) {
    const most = `at most ${seconds.toFixed(1)} s and ${Math.round(megabytes)} MB`;
    console.log(`${kind.padEnd(14)} ${passed + failed} tried, ${most}`);
  }
  console.log(`seed ${seed}`);
  console.log(`${sum(counts, "passed")} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}

function sum(counts: ReadonlyMap<string, Count>, key: keyof Count): number {
  return [...counts.values()].reduce((all, count) => all + count[key], 0);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
