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
import { libraryEntries, sakerEntries } from "./kernels/entries.ts";
import { type Guest, guestOf, MARKED_FILES } from "./kernels/guest.ts";

const HERE = new URL("..", import.meta.url).pathname;
/** A guest that is slower than this hangs; on two quiet cores one takes about two minutes. */
const MINUTES = 20;

/** Floods, which a guest without KVM takes minutes for, and which say nothing of the kernel. */
const LEFT_OUT = ["one_process_cannot_push_another_out", "flood_of_benign_opens"];

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

const RULES = `
- rule: A marked file is read
  desc: By any program.
  condition: evt.type in (open, openat, openat2) and fd.name startswith /etc/marked
  output: "%proc.name %fd.name"
  priority: WARNING
- rule: A marked program is started
  desc: By anybody.
  condition: evt.type in (execve, execveat) and proc.exepath = /bin/marked-program
  output: "%proc.exepath"
  priority: WARNING
`;

function entries(tools: string): Entry[] {
  const encoder = new TextEncoder();
  const file = (path: string, from: string): Entry => ({ path, bytes: Deno.readFileSync(from) });
  const text = (path: string, of: string): Entry => ({ path, bytes: encoder.encode(of) });
  const tests = Deno.env.get("SAKER_TEST_BINARY")!;
  const saker = `${HERE}dist/saker`;
  const only = Deno.env.get("SAKER_TEST_KERNELS_ARGS") ?? "live_test";
  const skip = LEFT_OUT.map((name) => `--skip ${name}`).join(" ");
  return [
    ...sakerEntries(tools, saker),
    file("init", `${HERE}scripts/kernels/guest.sh`),
    file("tests", tests),
    text("options", `${only} ${skip}`),
    // Where the tests look for it.
    file(`${HERE.slice(1)}dist/embed/probe.o`, `${HERE}dist/embed/probe.o`),
    { path: `${HERE.slice(1)}bindings-rs` },
    text("rules.yaml", RULES),
    ...MARKED_FILES.map((path) => text(path.slice(1), "marked\n")),
    ...libraryEntries(tests),
  ];
}

if (import.meta.main) Deno.exit(await main());
