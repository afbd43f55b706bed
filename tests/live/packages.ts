// What tests of packages have in common: packages that are made, and an installed saker in a Debian
// of its own, asked how it is.
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { Debian } from "./runtimes/debian.ts";
import { CannotRun, LIBRARIES, TOOLS } from "./runtimes/unpacked.ts";
import { type Alert, eventually, SAKER } from "./saker.ts";
import { isFile, Place, run } from "./trigger.ts";

const REPOSITORY = new URL("../..", import.meta.url).pathname;
export const { version: VERSION } = JSON.parse(Deno.readTextFileSync(`${REPOSITORY}deno.json`));
/** As long as this version's text, in whose place it is put. */
export const NEXT: string = VERSION.replace(/^\d/, (major: string) => `${+major + 1}`);
const RULE = "Sensitive file read by an untrusted program";
export const CONFIG = "/etc/saker/falco.yaml";

/** The executable of the next version: one that says so itself. */
export async function nextExecutable(place: Place): Promise<string> {
  const bytes = await Deno.readFile(SAKER);
  const [earlier, later] = [VERSION, NEXT].map((version) =>
    new TextEncoder().encode(`SAKER_VERSION = "${version}"`)
  );
  const at = findOnly(bytes, earlier!);
  bytes.set(later!, at);
  const path = place.file("next_saker");
  await Deno.writeFile(path, bytes, { mode: 0o755 });
  return path;
}

function findOnly(bytes: Uint8Array<ArrayBuffer>, wanted: Uint8Array): number {
  const text = new TextDecoder("latin1").decode(wanted);
  const all = new TextDecoder("latin1").decode(bytes);
  const at = all.indexOf(text);
  assert(at >= 0 && all.indexOf(text, at + 1) < 0, `${text} is not in ${SAKER} once`);
  return at;
}

/** Makes packages of an executable, dist/saker by default, in a directory of the place; where. */
export async function packages(
  place: Place,
  kinds: readonly string[],
  { directory = "packages", executable = SAKER }: {
    readonly directory?: string;
    readonly executable?: string;
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
    ...[`PATH=${bin}:${Deno.env.get("PATH")}`, `SAKER_EXECUTABLE=${executable}`],
    ...[`${REPOSITORY}scripts/package`, "--fast", "--out", out, ...kinds],
  ]);
  assertEquals([code, stderr], [0, ""]);
  return out;
}

/** Why no RPM can be made here; undefined where it can. */
export function noRpm(): string | undefined {
  return isFile(`${TOOLS}/rpm/usr/bin/rpmbuild`) ? undefined : "scripts/setup could not have rpm";
}

/**
 * Runs it on a machine, where there can be one. What it needs is made before: the machine's time is
 * bounded.
 */
export async function onDebian<Made>(
  t: Deno.TestContext,
  make: (place: Place) => Promise<Made>,
  act: (debian: Debian, place: Place, made: Made) => Promise<void>,
): Promise<void> {
  await using place = new Place();
  try {
    const made = await make(place);
    await using debian = await Debian.start(place);
    await act(debian, place, made);
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    await t.step({ name: `skipped: ${error.message}`, ignore: true, fn() {} });
  }
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

/** The service's process is of that executable, and what is installed tells that version. */
export async function runs(debian: Debian, executable: string, version: string): Promise<void> {
  const sum = (text: string) => text.split(" ")[0];
  const { stdout } = await run("sha256sum", [executable]);
  const running = await debian.must("sha256sum", `/proc/${await processOf(debian)}/exe`);
  assertEquals(sum(running), sum(stdout));
  assertIncludes(await debian.must("saker", "version"), `saker version: ${version} `);
}

export function difference(before: readonly string[], after: readonly string[]): string[] {
  const [first, second] = [new Set(before), new Set(after)];
  return [
    ...before.filter((name) => !second.has(name)).map((name) => `-${name}`),
    ...after.filter((name) => !first.has(name)).map((name) => `+${name}`),
  ];
}
