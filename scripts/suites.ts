// deno-lint-ignore-file no-console -- A script talks to the person who started it.
// Runs the suites of scripts/test one after the other and adds up what they report. In: names of
// suites (none: all). Out: a table, the output of what failed, and as last line the sum.
import { existsSync } from "node:fs";
import { type Ended, runBounded } from "./suite_process.ts";
import { add, type Runner, summary, type Tally, tally } from "./tally.ts";

interface Suite {
  readonly name: string;
  readonly what: string;
  readonly runner: Runner;
  readonly command: readonly string[];
  /** Minutes after which the suite is ended and counts as failed. */
  readonly minutes: number;
  /** Run as root, through sudo where needed. */
  readonly asRoot?: true;
  /** It takes long, or needs much: run where it is named alone. */
  readonly onlyByName?: true;
  /** Why the suite cannot run here; undefined where it can. */
  readonly without?: () => string | undefined;
}

const SUITES: readonly Suite[] = [
  {
    name: "fmt",
    what: "TypeScript is formatted",
    runner: "check",
    command: ["deno", "fmt", "--check"],
    minutes: 2,
  },
  {
    name: "lint",
    what: "TypeScript is free of what deno lint knows",
    runner: "check",
    command: ["deno", "lint"],
    minutes: 2,
  },
  {
    name: "check",
    what: "types are right",
    runner: "check",
    command: ["deno", "check", "--frozen", "src", "scripts", "tests"],
    minutes: 5,
  },
  {
    name: "check-script",
    what: "types of the scripts that browsers run are right",
    runner: "check",
    command: [
      ...["deno", "check", "--config", "scripts/lib/browser.json"],
      ...["src/server/page/assets/live.js", "src/server/page/assets/renew.js"],
    ],
    minutes: 2,
  },
  {
    name: "structure",
    what: "rooms, names, sizes and documents keep the rules of ARCHITECTURE.md",
    runner: "check",
    command: ["deno", "run", "--allow-read", "scripts/structure.ts"],
    minutes: 2,
  },
  {
    name: "rustfmt",
    what: "Rust is formatted",
    runner: "check",
    command: ["scripts/cargo", "fmt", "--all", "--check"],
    minutes: 2,
  },
  {
    name: "rustfmt-ebpf",
    what: "the probe's Rust is formatted",
    runner: "check",
    command: ["scripts/cargo", "fmt", "--check", "--manifest-path", "ebpf-rs/Cargo.toml"],
    minutes: 2,
  },
  {
    name: "rustfmt-kmod",
    what: "the kernel module's Rust is formatted",
    runner: "check",
    command: ["scripts/cargo", "fmt", "--check", "--manifest-path", "kmod/Cargo.toml"],
    minutes: 2,
  },
  {
    name: "rustfmt-front",
    what: "the front's Rust is formatted",
    runner: "check",
    command: [
      "bash",
      "-c",
      '. scripts/lib/toolchain.sh && find_rust && "$RUST_BIN/rustfmt" ' +
      "--edition 2024 --check front-rs/entry.rs",
    ],
    minutes: 2,
  },
  {
    name: "clippy",
    what: "the host's crates pass clippy, pedantic",
    runner: "check",
    command: [
      ...["scripts/cargo", "clippy", "--quiet", "--workspace", "--all-targets", "--locked"],
      ...["--", "-D", "warnings"],
    ],
    minutes: 15,
  },
  {
    name: "rust",
    what: "tests of the host's crates",
    runner: "cargo",
    command: ["scripts/cargo", "test", "--workspace", "--locked"],
    minutes: 15,
  },
  {
    name: "tracer",
    what: "the probe's live tests with the tracer of processes in its place",
    runner: "cargo",
    command: [
      ...["env", "SAKER_TEST_DRIVER=ptrace", "scripts/cargo", "test", "--package", "bindings"],
      ...["--lib", "--locked", "live_test"],
    ],
    minutes: 10,
  },
  {
    name: "core",
    what: "the kernel module's core against memory that may hold anything",
    runner: "cargo",
    command: [
      ...["scripts/cargo", "test", "--lib", "--locked", "--manifest-path", "kmod/Cargo.toml"],
    ],
    minutes: 10,
  },
  {
    name: "build",
    what: "dist/saker is built",
    runner: "check",
    command: ["scripts/build"],
    minutes: 30,
  },
  {
    name: "unit",
    what: "tests beside the source",
    runner: "deno",
    command: ["deno", "test", "--allow-all", "--no-check", "--frozen", "src", "scripts"],
    minutes: 15,
  },
  {
    name: "rules",
    what: "the default rules fire, and stay quiet, on the cases beside them",
    runner: "plain",
    command: ["bash", "-c", "dist/saker rules test rules/*_test.yaml"],
    minutes: 5,
  },
  {
    name: "live",
    what: "the built binary on this machine's kernel, and the commands that documents name",
    runner: "deno",
    command: ["deno", "test", "--allow-all", "--no-check", "--frozen", "tests"],
    minutes: 55,
    asRoot: true,
    without: () => isRoot() || hasSudo() ? undefined : "needs root, and there is no sudo",
  },
  {
    name: "hostile",
    what: "hostile captures, rules, configuration, requests and signals, within limits",
    runner: "plain",
    command: ["deno", "run", "--allow-all", "--no-check", "--frozen", "scripts/hostile.ts"],
    minutes: 10,
    asRoot: true,
    without: () => isRoot() || hasSudo() ? undefined : "needs root, and there is no sudo",
  },
  {
    name: "compare",
    what: "alerts on recorded captures against those of Falco",
    runner: "plain",
    command: ["scripts/compare"],
    minutes: 20,
    without: () => existsSync("../shared/captures") ? undefined : "no ../shared/captures here",
  },
  {
    name: "module",
    what: "the kernel module on Debian's 6.1, 6.12 and newest kernel, in qemu",
    runner: "plain",
    command: ["scripts/module/start"],
    minutes: 30,
    asRoot: true,
    without: () =>
      !isRoot() && !hasSudo()
        ? "needs root, and there is no sudo"
        : onPath("apt-get")
        ? undefined
        : "needs Debian's packages, and there is no apt-get",
  },
  {
    name: "kernels",
    what: "the live tests and the built binary on Debian's 6.1, 6.12 and newest kernel, in qemu",
    runner: "plain",
    command: ["scripts/kernels/start"],
    minutes: 70,
    onlyByName: true,
  },
];

async function main(names: readonly string[]): Promise<number> {
  if (names.includes("--list")) {
    for (const { name, what, onlyByName } of SUITES) {
      console.log(`${name.padEnd(14)}${what}${onlyByName ? " (only by name)" : ""}`);
    }
    return 0;
  }
  const unknown = names.filter((name) => !SUITES.some((suite) => suite.name === name));
  if (unknown.length > 0) {
    const known = SUITES.map((suite) => suite.name).join(", ");
    console.error(`saker: no suite "${unknown[0]}"; there are ${known}`);
    return 1;
  }
  const chosen = SUITES.filter(({ name, onlyByName }) =>
    names.length === 0 ? onlyByName !== true : names.includes(name)
  );
  let sum: Tally = { passed: 0, failed: 0, skipped: 0 };
  const end = performance.now() + (names.length === 0 ? ALL_MINUTES * 60_000 : Infinity);
  for (const suite of chosen) {
    const left = (end - performance.now()) / 1000;
    sum = add(sum, await runSuite(suite, Math.min(suite.minutes * 60, left), names.length > 0));
  }
  console.log(summary(sum));
  return sum.failed > 0 ? 1 : 0;
}

/** Minutes for all suites; what has none of them left has failed. CI waits for 90. */
const ALL_MINUTES = 80;

/** Runs one suite; its output is shown as it comes where asked for, else where it failed. */
async function runSuite(suite: Suite, seconds: number, showOutput: boolean): Promise<Tally> {
  const reason = suite.without?.();
  if (reason !== undefined) {
    console.log(row(suite.name, `skipped: ${reason}`, 0));
    return { passed: 0, failed: 0, skipped: 1 };
  }
  if (seconds < 1) {
    console.log(row(suite.name, `FAILED: not begun, ${ALL_MINUTES} minutes are over`, 0));
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const start = performance.now();
  const { output, code, isOverdue, left } = await run(suite, seconds, showOutput);
  const result = tally(suite.runner, output, code);
  const took = (performance.now() - start) / 1000;
  if (result.failed > 0 && !showOutput) console.log(output.trimEnd());
  console.log(
    row(suite.name, result.failed > 0 ? `FAILED: ${summary(result)}` : summary(result), took),
  );
  if (isOverdue) console.log(`${suite.name} was ended after ${Math.round(seconds / 60)} minutes`);
  if (left.length > 0) console.log(`${suite.name} left running, ended now: ${left.join(", ")}`);
  return result;
}

function row(name: string, text: string, seconds: number): string {
  return `  ${name.padEnd(14)}${text.padEnd(44)}${seconds.toFixed(1).padStart(7)} s`;
}

function run(suite: Suite, seconds: number, showOutput: boolean): Promise<Ended> {
  const sudo = suite.asRoot && !isRoot() ? ["sudo", "--preserve-env", "env", `PATH=${PATH}`] : [];
  const show = (text: string) => void Deno.stdout.writeSync(new TextEncoder().encode(text));
  return runBounded({
    command: suite.command,
    as: sudo,
    seconds,
    ...(showOutput ? { onText: show } : {}),
  });
}

const PATH = Deno.env.get("PATH") ?? "";

function isRoot(): boolean {
  return Deno.uid() === 0;
}

function hasSudo(): boolean {
  return onPath("sudo");
}

function onPath(program: string): boolean {
  return PATH.split(":").some((dir) => existsSync(`${dir}/${program}`));
}

if (import.meta.main) Deno.exit(await main(Deno.args));
