// deno-lint-ignore-file no-console -- A script talks to the person who started it.
// What it costs saker that somebody looks at its page, under 100 alerts a second: processor time
// and memory without a browser, with the overview open, and with the list of alerts; how soon an
// alert is on the page; and how ten thousand rows scroll (scripts/bench page).
import { freePort, Saker } from "../tests/live/saker.ts";
import { Place } from "../tests/live/trigger.ts";
import { openTab, startBrowser } from "../tests/page/browser.ts";
import { madeUpAlert, servePage } from "./page_bench/made_up.ts";

const SECONDS = Number(Deno.args[0] ?? 20);
const PER_SECOND = 100;
/** Of /proc/PID/stat, on every Linux that saker runs on. */
const TICKS_PER_SECOND = 100;

interface Cost {
  readonly cpu: number;
  readonly residentBytes: number;
}

async function main(): Promise<void> {
  await using place = new Place();
  await Deno.writeTextFile(
    place.file("rules.yaml"),
    `- rule: Page bench\n  desc: d\n  condition: evt.type = openat and fd.name startswith ` +
      `${place.path}/seen\n  output: Opened (file=%fd.name command=%proc.cmdline user=%user.name ` +
      `parent=%proc.pname container=%container.id)\n  priority: WARNING\n`,
  );
  await using saker = await Saker.start([], {
    args: ["-r", place.file("rules.yaml")],
    port: freePort(),
  });
  const url = `http://127.0.0.1:${saker.port}`;
  const browser = await startBrowser(place.path);
  const row = async (what: string, paths: readonly string[]) => {
    const tabs = [];
    for (const path of paths) {
      const opened = await openTab(browser);
      await opened.tab.goto(`${url}${path}`);
      tabs.push(opened);
    }
    const cost = await costOf(saker.pid, place);
    console.log(
      `${what.padEnd(28)}${(100 * cost.cpu).toFixed(1).padStart(7)} % of a core` +
        `${(cost.residentBytes / 1e6).toFixed(0).padStart(7)} MB resident`,
    );
    for (const { close } of tabs) await close();
  };
  console.log(`${PER_SECOND} alerts a second for ${SECONDS} s; load ${Deno.loadavg()[0]}`);
  await row("no browser", []);
  await row("the overview", ["/"]);
  await row("the list of alerts", ["/page/alerts"]);
  await row("four tabs of both", ["/", "/", "/page/alerts", "/page/alerts"]);
  const { tab, close } = await openTab(browser);
  await tab.goto(`${url}/page/alerts`);
  const delays: number[] = [];
  for (let at = 0; at < 20; at++) {
    const before = performance.now();
    await touch(place, `soon-${at}`);
    await tab.locator(".alerts li", { hasText: `seen-soon-${at} ` }).first().waitFor();
    delays.push(performance.now() - before);
  }
  delays.sort((one, other) => one - other);
  console.log(
    `from opening a file to its row on the page: median ${delays[10]!.toFixed(0)} ms, ` +
      `longest of 20 ${delays.at(-1)!.toFixed(0)} ms`,
  );
  await close();
  await scrolling(browser);
  await browser.close();
}

async function touch(place: Place, name: string): Promise<void> {
  const file = await Deno.open(place.file(`seen-${name}`), { create: true, write: true });
  file.close();
}

/** What saker takes while alerts come. */
async function costOf(pid: number, place: Place): Promise<Cost> {
  const begin = ticksOf(pid);
  const start = performance.now();
  for (let at = 0; at < SECONDS * PER_SECOND; at++) {
    await touch(place, `${at % 500}`);
    const aheadMs = at * 1000 / PER_SECOND - (performance.now() - start);
    if (aheadMs > 5) await new Promise((resolve) => setTimeout(resolve, aheadMs));
  }
  const seconds = (performance.now() - start) / 1000;
  const resident = /^VmRSS:\s+(\d+)/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))![1];
  return {
    cpu: (ticksOf(pid) - begin) / TICKS_PER_SECOND / seconds,
    residentBytes: Number(resident) * 1024,
  };
}

function ticksOf(pid: number): number {
  const words = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]!.split(" ");
  return Number(words[11]) + Number(words[12]);
}

/** Frames while ten thousand made-up rows are scrolled through. */
async function scrolling(browser: Awaited<ReturnType<typeof startBrowser>>): Promise<void> {
  const { server, alerts } = servePage();
  alerts.take(Array.from({ length: 10_000 }, (_, at) => madeUpAlert(at)));
  const { tab, close } = await openTab(browser, { viewport: { width: 1200, height: 800 } });
  await tab.goto(`http://127.0.0.1:${server.port}/page/alerts`);
  const rows = () =>
    tab.evaluate(() => {
      // deno-lint-ignore no-explicit-any -- This function runs in the browser.
      const { document, scrollTo } = globalThis as any;
      scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
      return document.querySelectorAll(".alerts li").length as number;
    });
  while (await rows() < 10_000) await new Promise((resolve) => setTimeout(resolve, 50));
  await tab.evaluate(() => {
    // deno-lint-ignore no-explicit-any -- This function runs in the browser.
    const page = globalThis as any;
    page.scrollTo(0, 0);
    page.framesMs = [];
    let last = page.performance.now();
    const onFrame = (now: number) => {
      page.framesMs.push(now - last);
      last = now;
      page.requestAnimationFrame(onFrame);
    };
    page.requestAnimationFrame(onFrame);
  });
  await tab.mouse.move(600, 500);
  for (let at = 0; at < 100; at++) {
    await tab.mouse.wheel(0, 600);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  // deno-lint-ignore no-explicit-any -- This function runs in the browser.
  const frames: number[] = await tab.evaluate(() => (globalThis as any).framesMs);
  frames.sort((one, other) => one - other);
  const of = (share: number) => frames[Math.floor((frames.length - 1) * share)]!.toFixed(0);
  console.log(
    `10,000 rows, 600 pixels a turn of the wheel: a frame takes ${of(0.5)} ms at the median, ` +
      `${of(0.95)} ms at 95 %, ${of(1)} ms at the most`,
  );
  await close();
  alerts.close();
  await server.close();
}

await main();
