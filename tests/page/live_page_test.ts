// The built binary's page in a real Chromium: alerts that real triggers made appear by themselves,
// open, and tell where they came from; what is named like markup stays text; it can be read on a
// phone, by keyboard, in dark and light, and without a script.
import { assert, assertEquals, assertIncludes } from "../live/expect.ts";
import { eventually } from "../live/saker.ts";
import { openTab, overhang, paleTexts } from "./browser.ts";
import { bytesOf, ignore, type Scene, withScene } from "./scene.ts";

// A browser's pipes and timers are closed with it, not with each test.
const LOOSE = { sanitizeResources: false, sanitizeOps: false };

/** Hexadecimal bytes of names, and what is to be read of each. */
const HOSTILE: readonly (readonly [string, string])[] = [
  [bytesOf("<img src=x onerror=alert(1)>"), "seen<img src=x onerror=alert(1)>"],
  [bytesOf("<script>alert(1)<\u2215script>"), "seen<script>alert(1)"],
  [bytesOf("\"'><svg onload=alert(1)>"), "seen\"'><svg onload=alert(1)>"],
  [bytesOf("photo\u202egnp.exe"), "seenphoto\\u202egnp.exe"],
  [bytesOf("\x1b[2J\x1b[31mred\x07"), "seen\\u001b[2J"],
  ["ff" + bytesOf("no utf-8") + "c080", "no utf-8"],
  [bytesOf("x".repeat(200)), "x".repeat(200)],
  [bytesOf("a\nb\tc"), "seena\\nb\\tc"],
];

async function listOf({ browser, url }: Scene, query = "") {
  const tab = await openTab(browser);
  await tab.tab.goto(`${url}/page/alerts${query}`);
  return tab;
}

Deno.test({
  name:
    "the page shows an alert as it comes, opens it, and nothing that it names is more than text",
  ignore,
  ...LOOSE,
  fn: (t) =>
    withScene(async (scene) => {
      const { browser, url, open, place } = scene;
      await t.step("an alert appears by itself, opens, shows its process and why", async () => {
        const { tab, wrongs, close } = await listOf(scene);
        await tab.getByText("No alert so far").waitFor();
        await open([bytesOf("-one")]);
        const row = tab.locator(".alerts li", { hasText: "seen-one" });
        await row.first().waitFor();
        assertEquals(await tab.getByText("No alert so far").isVisible(), false);
        await row.first().getByRole("link").click();
        await tab.getByRole("heading", { name: "Page watch" }).waitFor();
        // Others' arguments are among these texts: no message shows them.
        const processes = await tab.locator(".lineage li").allTextContents();
        const [self, maker] = processes.reverse();
        assert(self!.startsWith("python"), "the last process is not the one that opened it");
        assert(self!.includes(place.mark("open")), "its arguments are not shown");
        assert(maker!.startsWith("deno"), "its maker is not who started it");
        const why = await tab.getByRole("region", { name: "Why it fired" }).innerText();
        assertIncludes(why, `fd.name startswith ${place.path}/seen`);
        assertIncludes(why, `was "${place.path}/seen-one"`);
        assertIncludes(why, "(opened)");
        const rule = await tab.getByRole("region", { name: "The rule", exact: true }).innerText();
        assertIncludes(rule, "- rule: Page watch");
        assertIncludes(rule, `${place.file("rules.yaml")}:4`);
        await tab.getByRole("link", { name: "The rule", exact: true }).click();
        await tab.getByRole("heading", { name: "Which events it is tried on" }).waitFor();
        assertIncludes(await tab.locator("main").innerText(), "open, openat, openat2");
        await tab.goBack();
        await tab.getByRole("link", { name: "Propose an exception" }).click();
        await tab.getByRole("heading", { name: "An exception for this alert" }).waitFor();
        await tab.getByRole("heading", { name: /^(Proposal 1|No exception is proposed)/ })
          .waitFor();
        assertEquals(wrongs, []);
        await close();
      });

      await t.step("hostile names are text, in the live list and on every page", async () => {
        const { tab, wrongs, close } = await listOf(scene);
        await open(HOSTILE.map(([name]) => name));
        await eventually(
          "all rows",
          async () => await tab.locator(".alerts li").count() > HOSTILE.length || undefined,
        );
        for (const place of ["/", "/page/alerts"]) {
          if (place === "/") {
            await tab.goto(url);
          }
          const text = await tab.locator("main").innerText();
          for (const [, shown] of HOSTILE) {
            assertIncludes(text, shown.slice(0, 60));
          }
          assert(
            !["\u202e", "\x1b", "\x07"].some((one) => text.includes(one)),
            "a control",
          );
          assertEquals(await tab.locator("main img, main svg:not(.plot), main script").count(), 0);
        }
        await tab.goto(`${url}/page/alerts`);
        const links = await tab.locator(".alerts a").evaluateAll((found) =>
          found.map((one) => (one as unknown as { href: string }).href)
        );
        assert(links.length > HOSTILE.length, `${links.length} links`);
        const texts: string[] = [];
        for (const link of links) {
          await tab.goto(link);
          texts.push(await tab.locator("main").innerText());
          assertEquals(await overhang(tab), 0, link);
        }
        for (const [, shown] of HOSTILE) {
          assert(texts.some((text) => text.includes(shown)), `${shown} is on no page`);
        }
        assertEquals(wrongs, []);
        await close();
      });

      await t.step("nothing moves under somebody who is in the list", async () => {
        const { tab, wrongs, close } = await listOf(scene);
        const first = tab.locator(".alerts a").first();
        await first.focus();
        const before = await first.getAttribute("href");
        await open([bytesOf("-later")]);
        const button = tab.getByRole("button", { name: "Show 1 newer alert" });
        await button.waitFor();
        assertEquals(await tab.locator(".alerts a").first().getAttribute("href"), before);
        await button.click();
        await tab.locator(".alerts li", { hasText: "seen-later" }).waitFor();
        assertEquals(await button.isVisible(), false);
        assertEquals(wrongs, []);
        await close();
      });

      await t.step("without a script, filters, pages and alerts work", async () => {
        const { tab, close } = await openTab(browser, { javaScriptEnabled: false });
        await tab.goto(`${url}/page/alerts`);
        await tab.getByLabel("Search in all fields").fill("seen-one");
        await tab.getByLabel("At least").selectOption("Warning");
        await tab.getByRole("button", { name: "Filter" }).click();
        assertEquals(await tab.locator(".alerts li").count(), 1);
        await tab.getByLabel("Process").fill("no-such-process");
        await tab.getByRole("button", { name: "Filter" }).click();
        await tab.getByText("None of the alerts that are held is like that").waitFor();
        assertEquals(await tab.getByLabel("Search in all fields").inputValue(), "seen-one");
        await tab.getByRole("link", { name: "Clear" }).click();
        await tab.locator(".alerts a", { hasText: "seen-one" }).click();
        await tab.getByRole("heading", { name: "Why it fired" }).waitFor();
        await close();
      });

      await t.step("the keyboard leads everywhere", async () => {
        const { tab, wrongs, close } = await listOf(scene);
        const focused = () =>
          tab.evaluate(() => {
            // deno-lint-ignore no-explicit-any -- This function runs in the browser.
            const { document, getComputedStyle } = globalThis as any;
            const at = document.activeElement;
            const { outlineStyle, outlineWidth } = getComputedStyle(at);
            return {
              text: at.textContent.trim(),
              name: at.getAttribute("name"),
              outline: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2,
              isSeen: at.getBoundingClientRect().left >= 0,
            };
          });
        await tab.keyboard.press("Tab");
        assertEquals(await focused(), {
          text: "Skip to the content",
          name: null,
          outline: true,
          isSeen: true,
        });
        const walked: string[] = [];
        for (let at = 0; at < 5; at++) {
          await tab.keyboard.press("Tab");
          const { text, outline } = await focused();
          assert(outline, `${text} shows no focus`);
          walked.push(text);
        }
        assertEquals(walked, ["saker", "Overview", "Alerts", "Rules", "Configuration"]);
        await tab.keyboard.press("/");
        assertEquals((await focused()).name, "search");
        await tab.keyboard.type("seen");
        await tab.keyboard.press("Enter");
        await tab.waitForURL(/search=seen/);
        await tab.locator(".alerts a").first().focus();
        await tab.keyboard.press("ArrowDown");
        await tab.keyboard.press("j");
        await tab.keyboard.press("k");
        const second = await tab.locator(".alerts a").nth(1).getAttribute("href");
        await tab.keyboard.press("Enter");
        await tab.waitForURL((found) => found.pathname === second);
        assertEquals(wrongs, []);
        await close();
      });

      await t.step("a phone has nothing to push aside, dark and light can be read", async () => {
        const grounds = new Set<string>();
        for (const colorScheme of ["light", "dark"] as const) {
          const look = { colorScheme, viewport: { width: 390, height: 844 } };
          const { tab, wrongs, close } = await openTab(browser, look);
          await tab.goto(`${url}/page/alerts`);
          const alert = await tab.locator(".alerts a").first().getAttribute("href");
          for (
            const path of ["/", "/page/alerts", alert!, "/page/rules", "/page/config", "/page/no"]
          ) {
            await tab.goto(`${url}${path}`);
            assertEquals(await overhang(tab), 0, `${path} is wider than the window`);
            assertEquals(await paleTexts(tab), [], `${colorScheme} ${path}`);
          }
          grounds.add(
            await tab.locator("html").evaluate((html) =>
              // deno-lint-ignore no-explicit-any -- This function runs in the browser.
              (globalThis as any).getComputedStyle(html).backgroundColor
            ),
          );
          assertEquals(wrongs, []);
          await close();
        }
        assertEquals(grounds.size, 2);
      });

      await t.step("ten thousand alerts are scrolled through to the oldest", async () => {
        // In pieces: a busy machine may cost some of them.
        await eventually("as many to be held as can be", async () => {
          await open(["*1500"]);
          const answer = await fetch(`${url}/alerts/recent?limit=1`);
          return (await answer.json()).given_way > 0 || undefined;
        }, 120_000);
        const { tab, wrongs, close } = await listOf(scene);
        assertEquals(await tab.locator(".alerts li").count(), 100);
        // Locators by role would have all rows laid out at each look.
        await eventually("the last row", () =>
          tab.evaluate(() => {
            // deno-lint-ignore no-explicit-any -- This function runs in the browser.
            const { scrollTo, document } = globalThis as any;
            scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
            return document.querySelector("[data-older]").hidden || undefined;
          }), 120_000);
        const numbers = await tab.locator(".alerts a").evaluateAll((found) =>
          found.map((one) => Number((one as unknown as { href: string }).href.split("-").pop()))
        );
        // Alerts that came late have pushed out as many of the oldest.
        assert(numbers.length > 9_000, `${numbers.length} rows`);
        assert(numbers.every((one, at) => at === 0 || one < numbers[at - 1]!), "out of order");
        await tab.locator(".alerts:last-child > li:last-child a").click();
        await tab.getByRole("heading", { name: "Page watch" }).waitFor();
        assertEquals(wrongs, []);
        await close();
      });
    }),
});
