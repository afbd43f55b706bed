// deno-lint-ignore-file no-console -- A script talks to the person who started it.
// The kernel module on other kernels, in qemu without KVM: for each of Debian's kernels of
// scripts/kernels.ts the built saker builds it, with that kernel's headers and compiler, and a
// guest loads it, uses it and unloads it, after which the kernel must have nothing to complain of.
//
//   scripts/test module                     sets up, builds, runs all
//   SAKER_TEST_KERNELS=bookworm,sid         these alone
import { boot } from "./kernels/boot.ts";
import { archive, type Entry } from "./kernels/archive.ts";
import { file, FLOODS, sakerEntries, testEntries, text, watchEntries } from "./kernels/entries.ts";
import {
  buildModule,
  type BuildRoot,
  hasDkms,
  installModule,
  releaseOf,
  signModule,
} from "./module/build_module.ts";
import { type ModuleGuest, moduleGuestOf } from "./module/guest.ts";

const HERE = new URL("..", import.meta.url).pathname;
/** A guest that is slower than this hangs; on two quiet cores one takes less than a minute. */
const MINUTES = 10;
/**
 * A host that is busy elsewhere gives a guest's CPU no time for seconds: the kernel complains of
 * one that stands still for minutes (20 s are its own bounds), as one that hangs does in time.
 */
const PATIENT = "rcupdate.rcu_cpu_stall_timeout=300 watchdog_thresh=60";
/** What Debian's images offer to find mistakes with: each word on one kernel at the least. */
const WORDS: Readonly<Record<string, string>> = {
  bookworm: "slub_debug=FZPU",
  trixie: "slub_debug=FZPU preempt=full kfence.sample_interval=10",
};

async function main(): Promise<number> {
  const tools = Deno.env.get("TOOLS")!;
  const chosen = Deno.env.get("SAKER_TEST_KERNELS")?.split(",");
  const suites = [...Deno.readDirSync(`${tools}/headers`)].map(({ name }) => name)
    .filter((name) => chosen?.includes(name) ?? true).sort();
  if (suites.length === 0) throw new Error("there are no headers: scripts/setup headers");
  const directory = Deno.makeTempDirSync({ prefix: "saker-module-" });
  let passed = 0, failed = 0;
  try {
    for (const suite of suites) {
      const guest = await tried(tools, suite, `${directory}/${suite}`);
      passed += guest.passed.length;
      failed += guest.failures.length;
    }
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}

interface Step {
  readonly what: string;
  readonly isWell: boolean;
  readonly why: string;
}

async function tried(tools: string, suite: string, initrd: string): Promise<ModuleGuest> {
  const startMs = performance.now();
  const root = { tools, suite, saker: `${HERE}dist/saker` };
  const { steps, modules } = await builds(root);
  let guest: ModuleGuest = { kernel: releaseOf(root), passed: [], failures: [] };
  if (modules.length > 0) {
    Deno.writeFileSync(initrd, archive([...entries(tools), ...modules]));
    const kernel = `${tools}/kernels/${suite}/vmlinuz`;
    guest = moduleGuestOf(
      await boot({ kernel, initrd, minutes: MINUTES, words: `${PATIENT} ${WORDS[suite] ?? ""}` }),
    );
  }
  const passed = [
    ...steps.filter(({ isWell }) => isWell).map(({ what }) => what),
    ...guest.passed,
  ];
  const failures = [...steps.filter(({ isWell }) => !isWell), ...guest.failures];
  const seconds = Math.round((performance.now() - startMs) / 1000);
  console.log(`${suite}: Linux ${guest.kernel}, ${passed.length} passed, ${seconds} s`);
  for (const { what, why } of failures) {
    console.log(`  FAILED ${what}\n${why.replaceAll(/^/gm, "    ")}`);
  }
  return { ...guest, passed, failures };
}

/** The module, and one that is signed, for the guest. */
async function builds(root: BuildRoot): Promise<{ steps: Step[]; modules: Entry[] }> {
  const built = await buildModule(root);
  // A warning would stand there too.
  const isWell = built.code === 0 && built.said.split("\n").length === 2;
  const steps = [{ what: "saker driver build compiles the module", isWell, why: built.said }];
  if (!isWell) return { steps, modules: [] };
  const modules = [{ path: "saker.ko", bytes: taken(built.file) }];
  if (hasDkms(root)) {
    const signed = await signModule(root);
    const isSigned = signed.code === 0;
    steps.push({ what: "saker driver build signs it", isWell: isSigned, why: signed.said });
    if (isSigned) modules.push({ path: "signed.ko", bytes: taken(signed.file) });
    steps.push(...await installations(root));
  }
  return { steps, modules };
}

function taken(file: string): Uint8Array {
  const bytes = Deno.readFileSync(file);
  Deno.removeSync(file);
  return bytes;
}

/** Through DKMS and without, each undone. */
async function installations(root: BuildRoot): Promise<Step[]> {
  const place = `/lib/modules/${releaseOf(root)}`;
  const ways = [
    { how: "through DKMS", options: "", expected: `${place}/updates/dkms/saker.ko|` },
    { how: "without DKMS", options: "--no-dkms", expected: `${place}/extra/saker.ko|` },
  ];
  const steps: Step[] = [];
  for (const { how, options, expected } of ways) {
    const { said } = await installModule(root, options);
    const what = `saker driver install installs it ${how}, and uninstall undoes that`;
    steps.push({ what, isWell: said.trim() === expected, why: said });
  }
  return steps;
}

/** Tests of drivers that are of the probe alone (docs/drivers.md says why). */
const LEFT_OUT = [
  ...["live_test::tail_calls", "live_test::rings"],
  ...["runs_of_programs_are_told_by_name", "every_program_is_attached_and_a_theft_is_noticed"],
  ...FLOODS,
];

/** What lies in scripts/module/steps is run there, in the order of names. */
function entries(tools: string): Entry[] {
  const steps = `${HERE}scripts/module/steps`;
  return [
    ...sakerEntries(tools, `${HERE}dist/saker`),
    file("init", `${HERE}scripts/module/guest.sh`),
    { path: "steps" },
    ...[...Deno.readDirSync(steps)].map(({ name }) => file(`steps/${name}`, `${steps}/${name}`)),
    ...testEntries(HERE),
    text("left-out", LEFT_OUT.map((name) => `--skip ${name}`).join(" ")),
    ...watchEntries(),
  ];
}

if (import.meta.main) Deno.exit(await main());
