// Takes the pictures of docs/pictures in Debian's Chromium, of pages with alerts and hosts that
// never were; all of them, or those that are named:
//   scripts/deno run -A scripts/pictures.ts [NAME...]
import { openTab, startBrowser } from "../tests/page/browser.ts";
import { madeUpAlerts, servePage } from "./page_bench/made_up.ts";
import { serveFleetPage } from "./page_bench/made_up_fleet.ts";

const DIRECTORY = new URL("../docs/pictures", import.meta.url).pathname;
const home = await Deno.makeTempDir();
const { server, alerts } = servePage();
alerts.take(madeUpAlerts());
const fleet = serveFleetPage();
const [host, hosts] = [server.port, fleet.server.port];
const browser = await startBrowser(home);
const pictures = [
  ["overview", host, "/", { width: 1000, height: 760 }, "light"],
  ["alert", host, "/page/alerts/26", { width: 1000, height: 1100 }, "dark"],
  ["phone", host, "/page/alerts", { width: 390, height: 760 }, "dark"],
  ["fleet", hosts, "/", { width: 1100, height: 700 }, "light"],
] as const;
for (const [name, port, path, viewport, colorScheme] of pictures) {
  if (Deno.args.length > 0 && !Deno.args.includes(name)) continue;
  const { tab, close } = await openTab(browser, { viewport, colorScheme });
  await tab.goto(`http://127.0.0.1:${port}${path}`);
  await tab.screenshot({ path: `${DIRECTORY}/${name}.png` });
  await close();
}
await browser.close();
alerts.close();
await server.close();
await fleet.close();
await Deno.remove(home, { recursive: true });
