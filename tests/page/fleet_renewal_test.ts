// Pages of a fleet that are left open: hosts and rules come up to date by themselves, in a real
// browser, and what somebody has there stays: filter, order, place, focus, what is typed or opened.
import type { Page } from "playwright-core";
import { jetstreamManager } from "@nats-io/jetstream";
import { assert, assertEquals, assertIncludes } from "../live/expect.ts";
import { eventually, freePort } from "../patience.ts";
import { NatsServer, noNats } from "../nats_fixture.ts";
import { browserDefect, openTab, overhang, paleTexts, startBrowser } from "./browser.ts";
import { answering, publisher, startFleet } from "./fleet_scene.ts";

const HOSTS = 60;
const nameOf = (at: number) => `node-${String(at).padStart(2, "0")}.example`;
const alertsOf = (total: number) => ({ alerts: { total, by_priority: {}, by_rule: {} } });

/** What only a page has that was neither loaded anew nor made anew. */
async function mark(tab: Page, selector: string): Promise<void> {
  await tab.locator(selector).evaluate((element) => {
    Object.assign(element, { wasThere: true });
    Object.assign(globalThis, { wasThere: true });
  });
}

async function isMarked(tab: Page, selector: string): Promise<boolean> {
  return await tab.locator(selector).evaluate((element) =>
    "wasThere" in element && "wasThere" in globalThis
  );
}

// deno-lint-ignore no-explicit-any -- These functions run in the browser.
const inPage = <T>(tab: Page, look: (page: any) => T) =>
  tab.evaluate(`(${look})(globalThis)`) as Promise<T>;

const focused = (tab: Page) => inPage(tab, (page) => page.document.activeElement.textContent);

Deno.test({
  name: "saker fleet: pages of hosts and rules renew themselves under somebody who reads them",
  ignore: browserDefect() !== undefined || noNats() !== undefined,
  sanitizeResources: false,
  sanitizeOps: false,
  async fn(t) {
    await using server = await NatsServer.start();
    let hosts = await publisher(server);
    const manager = await jetstreamManager(hosts.nc);
    await manager.streams.add({ name: "SAKER", subjects: ["saker.alerts.>"] });
    for (let at = 0; at < HOSTS; at++) await hosts.present(nameOf(at), alertsOf(at));
    await hosts.present("other.example");
    const port = freePort();
    const url = `http://127.0.0.1:${port}`;
    let fleet = startFleet(server, port);
    const home = await Deno.makeTempDir({ prefix: "saker-fleet-" });
    const browser = await startBrowser(home);
    try {
      await answering(url);
      const { tab, wrongs, close } = await openTab(browser, {
        viewport: { width: 1000, height: 500 },
      });
      const rows = tab.locator("tbody tr");
      const row = (at: number) => `tbody tr:has-text("${nameOf(at)}")`;
      await eventually("all hosts", async () => {
        await tab.goto(url);
        return await rows.count() === HOSTS + 1 || undefined;
      });

      await t.step("hosts: filter, order, focus, place and what is typed stay", async () => {
        await tab.goto(`${url}/?search=NODE&sort=alerts`);
        assertEquals(await rows.count(), HOSTS);
        await tab.getByLabel("Name").fill("half a na");
        await tab.locator(row(20)).getByRole("link").first().focus();
        await mark(tab, row(20));
        await inPage(tab, (page) => page.scrollTo(0, 700));
        const place = await inPage(tab, (page) => page.scrollY);
        assert(place > 500, `${place}`);
        // The one that has the focus and one behind it go before all others; one is new.
        await hosts.present(nameOf(20), alertsOf(9_000));
        await hosts.present(nameOf(5), alertsOf(8_000));
        await hosts.present("node-new.example", { ...alertsOf(7_000), state: "stopped" });
        await hosts.present("another.example", alertsOf(10_000));
        await tab.getByText("stopped 1", { exact: true }).waitFor({ state: "attached" });
        const names = (await rows.locator("th").allInnerTexts()).slice(0, 4);
        assertEquals(names, [nameOf(20), nameOf(5), "node-new.example", nameOf(59)]);
        assertIncludes(await tab.locator(row(20)).innerText(), "9,000");
        assertEquals(await tab.locator('tbody tr:has-text("other.example")').count(), 0);
        assert(await isMarked(tab, row(20)), "the row was made anew");
        assertEquals(await focused(tab), nameOf(20));
        assertEquals(await tab.getByLabel("Name").inputValue(), "half a na");
        assertEquals(await inPage(tab, (page) => page.scrollY), place);
        assertEquals(new URL(tab.url()).search, "?search=NODE&sort=alerts");
        await tab.getByText(`1 to ${HOSTS + 1} of ${HOSTS + 1}`).waitFor();
        // Where the renewed link leads is where it says.
        await tab.locator(row(5)).getByRole("link").first().click();
        await tab.getByRole("heading", { name: nameOf(5) }).waitFor();
        await hosts.present(nameOf(5), alertsOf(8_001));
        await tab.getByText("8,001", { exact: true }).waitFor();
      });

      await t.step("rules: what was unfolded stays so", async () => {
        for (let at = 0; at < 12; at++) await hosts.alert(nameOf(at), { rule: "Wide" });
        const wide = 'tbody tr:has-text("Wide")';
        await eventually("the rule", async () => {
          await tab.goto(`${url}/page/rules`);
          return await tab.locator(wide).getByText("and 7 more").count() === 1 || undefined;
        });
        await tab.locator(wide).locator("summary").click();
        await tab.locator(wide).locator("summary").focus();
        await mark(tab, wide);
        await hosts.alert(nameOf(30), { rule: "Wide" });
        for (let at = 0; at < 40; at++) await hosts.alert(nameOf(31), { rule: "Louder" });
        const texts = tab.locator(wide).getByText("and 8 more");
        await texts.waitFor();
        await eventually(
          "the louder rule to stand first",
          async () => (await rows.first().innerText()).includes("Louder") || undefined,
        );
        assert(await isMarked(tab, wide), "the row was made anew");
        assertEquals(await focused(tab), "and 8 more");
        await tab.locator(wide).getByRole("link", { name: nameOf(30) }).waitFor();
        assertEquals(await overhang(tab), 0);
        assertEquals(await paleTexts(tab), []);
      });

      await t.step("names of others stay text", async () => {
        const name = '"><img src=x onerror=alert(1)>&amp;';
        await hosts.alert(nameOf(1), { rule: name });
        await tab.getByText(name, { exact: true }).waitFor();
        assertEquals(await tab.locator("img").count(), 0);
      });

      await t.step("a page that nobody sees asks for nothing", async () => {
        const other = await openTab(browser);
        // Its own clock: a minute passes at once.
        await other.tab.clock.install();
        await other.tab.goto(url);
        let asked = 0;
        other.tab.on("request", (request) => {
          if (request.headers()["accept"] === "application/json") asked++;
        });
        const show = (isHidden: boolean) =>
          other.tab.evaluate(`Object.defineProperty(document, "hidden", {
            configurable: true, get: () => ${isHidden} });
            document.dispatchEvent(new Event("visibilitychange"))`);
        await other.tab.clock.runFor(6_000);
        await eventually("it to ask while it is seen", () => asked > 0 || undefined);
        await show(true);
        const before = asked;
        await other.tab.clock.runFor(60_000);
        assertEquals(asked, before);
        await show(false);
        await eventually("it to ask as soon as it is seen", () => asked > before || undefined);
        assertEquals(other.wrongs, []);
        await other.close();
      });

      await t.step("it says since when nothing comes, of NATS and of itself", async () => {
        await tab.goto(`${url}/?sort=lost`);
        const trouble = tab.getByRole("alert").filter({ visible: true });
        await hosts.nc.close();
        await server.end();
        await trouble.filter({ hasText: /^NATS: .*, since 20\d\d-\d\d-\d\d .* UTC\./ }).waitFor();
        assertEquals(await tab.locator("#state").innerText(), "no connection");
        assertEquals(await rows.count(), HOSTS + 3);
        await server.again();
        hosts = await publisher(server);
        await trouble.waitFor({ state: "detached" });
        await tab.getByText("watching", { exact: true }).waitFor();
        assertEquals([...wrongs], []);
        fleet.kill("SIGKILL");
        await fleet.status;
        await trouble.filter({ hasText: /^No answer from saker fleet since 20.* UTC\./ }).waitFor();
        assertEquals(await tab.locator("#state").innerText(), "no connection");
        assertEquals(await paleTexts(tab), []);
        fleet = startFleet(server, port);
        await hosts.present(nameOf(7), { events: { seen: 99, lost: 77, kept_back: 0 } });
        await tab.locator(row(7)).filter({ hasText: "77" }).waitFor();
        await trouble.waitFor({ state: "hidden" });
        assertEquals(wrongs.filter((wrong) => !wrong.includes("ERR_CONNECTION_REFUSED")), []);
      });
      await close();
    } finally {
      await browser.close();
      await hosts.nc.close();
      fleet.kill("SIGTERM");
      await fleet.status;
      await Deno.remove(home, { recursive: true });
    }
  },
});
