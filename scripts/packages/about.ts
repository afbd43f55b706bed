// What every package is made of and named by: version, commit and its time, whose package it is.
// In: the repository. Out: facts, or an error in words.
import { join } from "node:path";

export const ROOT = new URL("../..", import.meta.url).pathname;
/** What is packed; SAKER_EXECUTABLE names another one. */
export const SAKER = Deno.env.get("SAKER_EXECUTABLE") ?? join(ROOT, "dist/saker");
export const OUT = join(ROOT, "dist/packages");

export interface About {
  /** The executable's own, which packages are named by. */
  readonly version: string;
  /** Which packaging of that version an RPM is, from 1: SAKER_RELEASE. */
  readonly release: number;
  /** 40 digits; `unknown` outside of a repository. */
  readonly commit: string;
  /** Seconds since 1970 that every file in a package bears. */
  readonly epoch: number;
  readonly maintainer: string;
  readonly summary: string;
}

export const DESCRIPTION =
  `saker watches a Linux host through the kernel (eBPF), holds the system calls
that matter against rules, and tells at once when one matches. It speaks
Falco's language: rules, falco.yaml, flags, captures and the JSON of alerts.
One executable holds probe, default rules and a page that shows what it sees.`;

/** Facts of the commit that is checked out; SOURCE_DATE_EPOCH goes before its time. */
export async function about(): Promise<About> {
  const version = await versionTold();
  const [commit = "", time = ""] = (await git("log", "-1", "--format=%H %ct")).split(" ");
  const epoch = Number(Deno.env.get("SOURCE_DATE_EPOCH") ?? time);
  if (!Number.isSafeInteger(epoch) || epoch <= 0) {
    throw new Error("SOURCE_DATE_EPOCH: expected seconds since 1970, and there is no commit here");
  }
  const release = Number(Deno.env.get("SAKER_RELEASE") ?? "1");
  if (!Number.isSafeInteger(release) || release < 1) {
    throw new Error("SAKER_RELEASE: expected a whole number from 1");
  }
  const name = Deno.env.get("DEBFULLNAME") ?? "The saker authors";
  const mail = Deno.env.get("DEBEMAIL") ?? "root@localhost";
  return {
    version,
    release,
    commit: commit || "unknown",
    epoch,
    maintainer: `${name} <${mail}>`,
    summary: "security watch of this host through the kernel, by Falco's rules",
  };
}

/** Of the executable; one built here before the version was changed is refused. */
async function versionTold(): Promise<string> {
  const told = await output(SAKER, ["--version"]);
  const version = told.match(/^saker version: (\d+\.\d+\.\d+) /)?.[1];
  if (version === undefined) throw new Error(`${SAKER} --version tells no version: ${told}`);
  const { version: wanted } = JSON.parse(Deno.readTextFileSync(join(ROOT, "deno.json")));
  if (Deno.env.get("SAKER_EXECUTABLE") === undefined && version !== wanted) {
    throw new Error(
      `dist/saker is version ${version}, deno.json says ${wanted}: run scripts/build`,
    );
  }
  return version;
}

/** What a program prints; an error with what it said where it fails. */
export async function output(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
): Promise<string> {
  return new TextDecoder().decode(await outputBytes(program, args, env, cwd));
}

export async function outputBytes(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const command = new Deno.Command(program, {
    args: [...args],
    env: { ...env },
    ...(cwd === undefined ? {} : { cwd }),
    stdin: "null",
  });
  const { success, stdout, stderr } = await command.output();
  if (success) return stdout;
  const said = new TextDecoder().decode(stderr).trim();
  throw new Error(`${[program, ...args].join(" ").slice(0, 200)}: ${said.slice(-500)}`);
}

async function git(...args: string[]): Promise<string> {
  try {
    return (await output("git", ["-C", ROOT, ...args])).trim();
  } catch {
    return "";
  }
}

/** As RFC 5322 has times, in UTC. */
export function mailTime(epoch: number): string {
  return new Date(epoch * 1000).toUTCString().replace("GMT", "+0000");
}
