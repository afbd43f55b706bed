// What tests of packages have in common: packages that are made, and an installed saker in a Debian
// of its own, asked how it is.
import { assertEquals } from "./expect.ts";
import type { Debian } from "./runtimes/debian.ts";
import { LIBRARIES, TOOLS } from "./runtimes/unpacked.ts";
import { type Alert, eventually } from "./saker.ts";
import { isFile, type Place, run } from "./trigger.ts";

const REPOSITORY = new URL("../..", import.meta.url).pathname;
export const { version: VERSION } = JSON.parse(Deno.readTextFileSync(`${REPOSITORY}deno.json`));
const RULE = "Sensitive file read by an untrusted program";
export const CONFIG = "/etc/saker/falco.yaml";

/** Makes packages in a directory of the place, the RPM of that release; the directory. */
export async function packages(
  place: Place,
  kinds: readonly string[],
  { directory = "packages", release = 1 }: {
    readonly directory?: string;
    readonly release?: number;
  } = {},
): Promise<string> {
  const [bin, out] = [place.file("bin"), place.file(directory)];
  await Deno.mkdir(bin, { recursive: true });
  await Deno.writeTextFile(
    `${bin}/rpmbuild`,
    `#!/bin/sh\nexport LD_LIBRARY_PATH='${LIBRARIES}' RPM_CONFIGDIR='${TOOLS}/rpm/usr/lib/rpm'\n` +
      `exec '${TOOLS}/rpm/usr/bin/rpmbuild' "$@"\n`,
    { mode: 0o755 },
  );
  const { code, stderr } = await run("env", [
    ...[`PATH=${bin}:${Deno.env.get("PATH")}`, `SAKER_RELEASE=${release}`],
    ...[`${REPOSITORY}scripts/package`, "--fast", "--out", out, ...kinds],
  ]);
  assertEquals([code, stderr], [0, ""]);
  return out;
}

/** Why no RPM can be made here; undefined where it can. */
export function noRpm(): string | undefined {
  return isFile(`${TOOLS}/rpm/usr/bin/rpmbuild`) ? undefined : "scripts/setup could not have rpm";
}

/** A command that the default rules tell of, with a mark in its arguments. */
export function reading(mark: string): string[] {
  return ["/bin/sh", "-c", "cat /etc/shadow >/dev/null; true", mark];
}

/** The alert of the service's journal that bears the mark, after something was done. */
export async function alerted(
  debian: Debian,
  mark: string,
  act: (mark: string) => Promise<unknown>,
): Promise<Alert> {
  await act(mark);
  return await eventually(`the alert of ${mark}`, async () => {
    const told = await debian.must("journalctl", "-u", "saker", "-o", "cat", "--no-pager");
    return told.split("\n").filter((line) => line.startsWith("{") && line.includes(mark))
      .map((line) => JSON.parse(line) as Alert).find(({ rule }) => rule === RULE);
  });
}

export async function state(debian: Debian): Promise<string> {
  const answers = [
    await debian.run("systemctl", "is-active", "saker"),
    await debian.run("systemctl", "is-enabled", "saker"),
  ];
  return answers.map(({ stdout }) => stdout.trim()).join(" ");
}

export function processOf(debian: Debian): Promise<string> {
  return debian.must("systemctl", "show", "--property=MainPID", "--value", "saker");
}

export function difference(before: readonly string[], after: readonly string[]): string[] {
  const [first, second] = [new Set(before), new Set(after)];
  return [
    ...before.filter((name) => !second.has(name)).map((name) => `-${name}`),
    ...after.filter((name) => !first.has(name)).map((name) => `+${name}`),
  ];
}
