// What a guest of scripts/kernels.ts printed → what passed there, what failed and why.
import { MARKED_FILES } from "./entries.ts";

export interface Guest {
  readonly kernel: string;
  /** Attached and wanted, as `saker doctor` said. */
  readonly programs?: string;
  /** Programs that the kernel refused, with its reason. */
  readonly refused: readonly string[];
  readonly passed: readonly string[];
  readonly failures: readonly { readonly what: string; readonly why: string }[];
}

interface Doctor {
  readonly well: boolean;
  readonly findings: readonly { readonly verdict: string; readonly text: string }[];
}

const RULES = ["A marked file is read", "A marked program is started"];

export function guestOf(output: string): Guest {
  const parts = partsOf(output.replaceAll("\r", ""));
  const passed: string[] = [];
  const failures: { what: string; why: string }[] = [];
  const judge = (what: string, why: string | undefined) => {
    if (why === undefined) passed.push(what);
    else failures.push({ what, why });
  };
  const tests = parts.get("tests") ?? "";
  for (const [, name, result] of tests.matchAll(/^test (\S+) \.\.\. .*?(ok|FAILED|ignored)$/gm)) {
    if (result !== "ignored") judge(name!, result === "ok" ? undefined : reasonOf(tests, name!));
  }
  judge("the live tests end", /^test result: /m.test(tests) ? undefined : lastOf(tests));
  const doctor = doctorOf(parts.get("doctor") ?? "");
  const told = doctor?.findings ?? [];
  const isWell = doctor?.well === true;
  judge("saker doctor finds all well", isWell ? undefined : wrongOf(parts.get("doctor"), doctor));
  const watched = [...parts].find(([name]) => name.startsWith("watched "));
  for (const rule of RULES) {
    const came = watched?.[1].includes(`"rule":"${rule}"`) === true;
    judge(`saker alerts: ${rule}`, came ? undefined : lastOf(watched?.[1] ?? output));
  }
  for (const file of MARKED_FILES.slice(1)) {
    const came = watched?.[1].includes(`"fd.name":"${file}"`) === true;
    judge(`saker alerts: ${file}`, came ? undefined : lastOf(watched?.[1] ?? output));
  }
  judge("saker ends well", watched?.[0] === "watched 0" ? undefined : `${watched?.[0]}`);
  judge("the guest ends", parts.has("end") ? undefined : lastOf(output));
  const programs = /(\d+ of \d+) probe programs/
    .exec(told.map(({ text }) => text).join("\n"))?.[1];
  return {
    kernel: [...parts.keys()].find((name) => name.startsWith("kernel "))?.slice(7) ?? "unknown",
    ...(programs === undefined ? {} : { programs }),
    refused: told.filter(({ verdict, text }) =>
      verdict !== "ok" && /kernel refuses it|Cannot load/.test(text)
    )
      .map(({ text }) => text.trim()),
    passed,
    failures,
  };
}

/** By name, without the time. */
function partsOf(output: string): Map<string, string> {
  const parts = new Map<string, string>();
  const pieces = output.split(/^== (.*) [0-9.]+$/m);
  for (let at = 1; at + 1 < pieces.length; at += 2) parts.set(pieces[at]!, pieces[at + 1]!);
  return parts;
}

/** What a failed test said. */
function reasonOf(tests: string, name: string): string {
  const head = `---- ${name} stdout ----\n`;
  const at = tests.indexOf(head);
  if (at === -1) return "";
  const rest = tests.slice(at + head.length);
  const end = rest.search(/^(---- |failures:)/m);
  return lastOf(rest.slice(0, end === -1 ? undefined : end));
}

function doctorOf(text: string): Doctor | undefined {
  try {
    return JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1)) as Doctor;
  } catch {
    return undefined;
  }
}

function wrongOf(text: string | undefined, doctor: Doctor | undefined): string {
  if (doctor === undefined) return lastOf(text ?? "it did not run");
  return doctor.findings.filter(({ verdict }) => verdict === "missing").map(({ text }) => text)
    .join("\n");
}

const LINES = 25;

function lastOf(text: string): string {
  return text.trim().split("\n").slice(-LINES).join("\n");
}
