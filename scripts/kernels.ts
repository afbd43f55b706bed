// deno-lint-ignore-file no-console -- A script talks to the person who started it.
// The probe and the built saker on other kernels, in qemu without KVM: Debian's oldest that saker
// is made for, today's and the newest. Each boots from an archive with the live tests of the addon
// (one trigger and more for each event) and dist/saker, which must attach, say so and alert.
//
//   scripts/test kernels                    sets up, builds, runs all
//   SAKER_TEST_KERNELS=bookworm,sid         these alone
//   SAKER_TEST_KERNELS_ARGS="names sifted"  of the live tests those with such a name
import { archive, type Entry } from "./kernels/archive.ts";
import { boot } from "./kernels/boot.ts";
import { file, FLOODS, sakerEntries, testEntries, text, watchEntries } from "./kernels/entries.ts";
import { type Guest, guestOf } from "./kernels/guest.ts";

const HERE = new URL("..", import.meta.url).pathname;
/** A guest that is slower than this hangs; on two quiet cores one takes about two minutes. */
const MINUTES = 20;

async function main(): Promise<number> {
  const tools = Deno.env.get("TOOLS")!;
  const chosen = Deno.env.get("SAKER_TEST_KERNELS")?.split(",");
  const suites = [...Deno.readDirSync(`${tools}/kernels`)].map(({ name }) => name)
    .filter((name) => chosen?.includes(name) ?? true).sort();
  if (suites.length === 0) throw new Error("there is no kernel: scripts/setup kernels");
  const directory = Deno.makeTempDirSync({ prefix: "saker-kernels-" });
  let passed = 0, failed = 0;
  try {
    const initrd = `${directory}/initrd`;
    Deno.writeFileSync(initrd, archive(entries(tools)));
    for (const suite of suites) {
      const startMs = performance.now();
      const guest = guestOf(
        await boot({ kernel: `${tools}/kernels/${suite}/vmlinuz`, initrd, minutes: MINUTES }),
      );
      const seconds = Math.round((performance.now() - startMs) / 1000);
      tell(suite, guest, seconds);
      passed += guest.passed.length;
      failed += guest.failures.length;
    }
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}

function tell(suite: string, guest: Guest, seconds: number): void {
  const { kernel, passed, failures, refused, programs } = guest;
  const attached = programs === undefined ? "" : `, programs: ${programs}`;
  console.log(`${suite}: Linux ${kernel}${attached}, ${passed.length} passed, ${seconds} s`);
  for (const line of refused) console.log(`  refused here: ${line}`);
  for (const { what, why } of failures) {
    console.log(`  FAILED ${what}\n${why.replaceAll(/^/gm, "    ")}`);
  }
}

function entries(tools: string): Entry[] {
  const only = Deno.env.get("SAKER_TEST_KERNELS_ARGS") ?? "live_test";
  const skip = FLOODS.map((name) => `--skip ${name}`).join(" ");
  return [
    ...sakerEntries(tools, `${HERE}dist/saker`),
    file("init", `${HERE}scripts/kernels/guest.sh`),
    ...testEntries(HERE),
    text("options", `${only} ${skip}`),
    // Where the tests look for it.
    file(`${HERE.slice(1)}dist/embed/probe.o`, `${HERE}dist/embed/probe.o`),
    ...watchEntries(),
  ];
}

if (import.meta.main) Deno.exit(await main());
