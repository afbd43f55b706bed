// Takes the pictures of docs/pictures in Debian's Chromium, of a page with alerts that never were:
//   scripts/deno run -A scripts/pictures.ts
import { openTab, startBrowser } from "../tests/page/browser.ts";
import { madeUpAlerts, servePage } from "./page_bench/made_up.ts";

const DIRECTORY = new URL("../docs/pictures", import.meta.url).pathname;
const home = await Deno.makeTempDir();
const { server, alerts } = servePage();
alerts.take(madeUpAlerts());
const browser = await startBrowser(home);
const pictures = [
  ["overview", "/", { width: 1000, height: 760 }, "light"],
  ["alert", "/page/alerts/26", { width: 1000, height: 1100 }, "dark"],
  ["phone", "/page/alerts", { width: 390, height: 760 }, "dark"],
] as const;
for (const [name, path, viewport, colorScheme] of pictures) {
  const { tab, close } = await openTab(browser, { viewport, colorScheme });
  await tab.goto(`http://127.0.0.1:${server.port}${path}`);
  await tab.screenshot({ path: `${DIRECTORY}/${name}.png` });
  await close();
}
await browser.close();
alerts.close();
await server.close();
await Deno.remove(home, { recursive: true });
