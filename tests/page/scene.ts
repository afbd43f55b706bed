// What tests of the page have in common: a rule on what happens in a place of theirs, a saker that
// watches with it, a browser, and what makes its alerts.
import type { Browser } from "playwright-core";
import { Saker, type StartOptions } from "../live/saker.ts";
import { isRoot, Place, python } from "../live/trigger.ts";
import { browserDefect, startBrowser } from "./browser.ts";

/** Why such tests do not run here. */
export const ignore = !isRoot() || browserDefect() !== undefined;

export interface Scene {
  readonly place: Place;
  readonly saker: Saker;
  readonly browser: Browser;
  readonly url: string;
  /** Opens files of these names (texts or bytes in latin1) in the place. */
  open(names: readonly string[]): Promise<void>;
}

export function ruleOf(place: Place): string {
  return `
- macro: opened
  condition: evt.type in (open, openat, openat2)
- rule: Page watch of a test whose name is as long as names of rules can be
  desc: A file of the test's own was opened
  condition: >
    opened and (fd.name startswith ${place.path}/seen or fd.name = /no/such/file)
    and not proc.name in (saker, systemd)
  output: Opened (file=%fd.name)
  priority: WARNING
  tags: [page]
`;
}

/** Names come in as hexadecimal bytes: they are no UTF-8 always. \`*N\` opens N files. */
export const OPEN = `
import os, sys
def see(name):
    os.close(os.open(sys.argv[2].encode() + b"/seen" + name, os.O_CREAT | os.O_WRONLY, 0o600))
for name in sys.argv[3:]:
    if name.startswith("*"):
        for at in range(int(name[1:])): see(b"-%d" % at)
    else: see(bytes.fromhex(name))
`;

export function bytesOf(name: string): string {
  return [...new TextEncoder().encode(name)].map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

export async function withScene(
  work: (scene: Scene) => Promise<void>,
  { args = [], ...options }: StartOptions = {},
  names: readonly string[] = [],
): Promise<void> {
  await using place = new Place();
  await Deno.writeTextFile(place.file("rules.yaml"), ruleOf(place));
  await using saker = await Saker.start([], {
    args: ["-r", place.file("rules.yaml"), ...args],
    ...options,
  });
  const browser = await startBrowser(place.path, names);
  try {
    const open = async (files: readonly string[]) => {
      await python(place.mark("open"), OPEN, [place.path, ...files]);
    };
    await work({ place, saker, browser, url: `http://127.0.0.1:${saker.port}`, open });
  } finally {
    await browser.close();
  }
}
