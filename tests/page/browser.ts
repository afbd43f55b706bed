// A real Chromium for tests of the page: Debian's, unpacked by scripts/setup, or this host's own. A
// page that tells of a script that ran, of an error, or of anything that its policy refused, fails
// its test.
import { type Browser, chromium, type Page } from "playwright-core";
import { has, isFile } from "../live/trigger.ts";

const TOOLS = `${
  Deno.env.get("SAKER_CACHE") ?? `${Deno.env.get("HOME") ?? "/root"}/.cache/saker`
}/tools`;
const UNPACKED = `${TOOLS}/chromium`;
const PROGRAM = `${UNPACKED}/usr/lib/chromium/chromium`;
const LIBRARIES = `${UNPACKED}/usr/lib/x86_64-linux-gnu`;

/** Why there is none; undefined where there is. */
export function browserDefect(): string | undefined {
  return isFile(PROGRAM) || has("chromium") ? undefined : "there is no chromium: scripts/setup";
}

/** Starts one, with a home of its own. */
export async function startBrowser(home: string): Promise<Browser> {
  const isUnpacked = isFile(PROGRAM);
  return await chromium.launch({
    executablePath: isUnpacked ? PROGRAM : "/usr/bin/chromium",
    // Root's browsers have no sandbox, and the memory below /dev/shm may be small.
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
    env: {
      HOME: home,
      PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin",
      LANG: "C.UTF-8",
      ...(isUnpacked ? { LD_LIBRARY_PATH: `${LIBRARIES}:${LIBRARIES}/pulseaudio` } : {}),
    },
  });
}

export type Look = Parameters<Browser["newContext"]>[0];

/** A tab, and all that it tells of what must not be. */
export async function openTab(
  browser: Browser,
  look: Look = {},
): Promise<{ readonly tab: Page; readonly wrongs: string[] }> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...look });
  context.setDefaultTimeout(30_000);
  const tab = await context.newPage();
  const wrongs: string[] = [];
  tab.on("dialog", (dialog) => {
    wrongs.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss().catch(() => {});
  });
  tab.on("pageerror", (error) => wrongs.push(`an error: ${error.message}`));
  tab.on("console", (message) => {
    if (message.type() === "error") wrongs.push(`the console: ${message.text()}`);
  });
  return { tab, wrongs };
}
