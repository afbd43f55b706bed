// A real Chromium for tests of the page: Debian's, unpacked by scripts/setup, or this host's own. A
// page that tells of a script that ran, of an error, or of anything that its policy refused, fails
// its test.
import { type Browser, chromium, type Page } from "playwright-core";
import { has, isFile } from "../live/trigger.ts";
import { PATIENCE_MS } from "../patience.ts";

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

/** Starts one, with a home of its own; `names` lead to this host. */
export async function startBrowser(home: string, names: readonly string[] = []): Promise<Browser> {
  const isUnpacked = isFile(PROGRAM);
  const rules = names.map((name) => `MAP ${name} 127.0.0.1`).join(",");
  return await chromium.launch({
    timeout: PATIENCE_MS,
    executablePath: isUnpacked ? PROGRAM : "/usr/bin/chromium",
    args: [
      // Root's browsers have no sandbox, and the memory below /dev/shm may be small.
      ...["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
      ...(rules === "" ? [] : [`--host-resolver-rules=${rules}`]),
    ],
    env: {
      HOME: home,
      PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin",
      LANG: "C.UTF-8",
      ...(isUnpacked ? { LD_LIBRARY_PATH: `${LIBRARIES}:${LIBRARIES}/pulseaudio` } : {}),
    },
  });
}

export type Look = Parameters<Browser["newContext"]>[0];

export interface Tab {
  readonly tab: Page;
  /** What it told of what must not be. */
  readonly wrongs: string[];
  close(): Promise<void>;
}

/** A tab of its own: no cookies, nothing kept. */
export async function openTab(browser: Browser, look: Look = {}): Promise<Tab> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...look });
  context.setDefaultTimeout(PATIENCE_MS);
  const tab = await context.newPage();
  const wrongs: string[] = [];
  tab.on("dialog", (dialog) => {
    wrongs.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss().catch(() => {});
  });
  tab.on("pageerror", (error) => wrongs.push(`an error: ${error.message}`));
  tab.on("console", (message) => {
    if (message.type() !== "error") return;
    // A path that is refused says so itself.
    if (/the server responded with a status of 4\d\d/.test(message.text())) return;
    wrongs.push(`the console: ${message.text()}`);
  });
  tab.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol === "data:" || hostname === new URL(tab.url() || request.url()).hostname) return;
    if (!request.isNavigationRequest()) wrongs.push(`asked another host: ${request.url()}`);
  });
  return { tab, wrongs, close: () => context.close() };
}

/** Texts whose colours are nearer to each other than WCAG's AA has them. */
export async function paleTexts(tab: Page): Promise<string[]> {
  return await tab.evaluate(() => {
    type Colour = readonly [number, number, number, number];
    // deno-lint-ignore no-explicit-any -- This function runs in the browser.
    const { document, getComputedStyle, NodeFilter } = globalThis as any;
    const colour = (text: string): Colour => {
      const [red = 0, green = 0, blue = 0, alpha = 1] = (text.match(/[\d.]+/g) ?? []).map(Number);
      return [red, green, blue, alpha];
    };
    const light = ([red, green, blue]: Colour) => {
      const [r, g, b] = [red, green, blue].map((value) => {
        const share = value / 255;
        return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      }) as [number, number, number];
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (element: { parentElement: unknown } | null): Colour => {
      for (let at = element; at !== null; at = at.parentElement as typeof at) {
        const found = colour(getComputedStyle(at).backgroundColor);
        if (found[3] > 0.99) return found;
      }
      return [255, 255, 255, 1];
    };
    const pale = new Set<string>();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      const text = walker.currentNode.textContent.trim();
      if (text === "" || element.closest("template, script, .hidden, .skip")) continue;
      if (element.checkVisibility?.() === false) continue;
      const [one, other] = [light(colour(getComputedStyle(element).color)), light(ground(element))];
      const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
      if (ratio < 4.5) pale.add(`${element.tagName}.${element.className}: ${ratio.toFixed(1)}`);
    }
    return [...pale];
  });
}

/** How much wider the page is than its window; 0: it is not. */
export async function overhang(tab: Page): Promise<number> {
  return await tab.evaluate(() => {
    // deno-lint-ignore no-explicit-any -- This function runs in the browser.
    const { document, innerWidth } = globalThis as any;
    return Math.max(0, document.documentElement.scrollWidth - innerWidth);
  });
}
