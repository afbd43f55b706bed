// The events around an alert, from the capture that its rule has started, in a real Chromium.
import { assert, assertEquals, assertIncludes } from "../live/expect.ts";
import { eventually } from "../live/saker.ts";
import { openTab, overhang, paleTexts } from "./browser.ts";
import { isFile, python } from "../live/trigger.ts";
import { ignore, withScene } from "./scene.ts";

/** An alert among files that no rule asks for. */
const OPENS = `
import os, sys
def see(name): os.close(os.open(sys.argv[2] + name, os.O_CREAT | os.O_WRONLY, 0o600))
for at in range(30): see("/other-%d" % at)
see("/seen-" + sys.argv[3])
for at in range(30): see("/other-%d" % at)
`;

const LOOSE = { sanitizeResources: false, sanitizeOps: false };

Deno.test({
  name: "the events around an alert are read from its capture, and are missed in words",
  ignore,
  ...LOOSE,
  async fn(t) {
    const directory = await Deno.makeTempDir({ prefix: "saker-around-" });
    const capture = [
      ...["-o", "capture.enabled=true", "-o", "capture.mode=all_rules"],
      ...["-o", `capture.path_prefix=${directory}/c`, "-o", "capture.default_duration=3000"],
    ];
    await withScene(async ({ browser, url, place }) => {
      // Without a script: addresses of their own, and a page that looks again by itself.
      const { tab, close } = await openTab(browser, { javaScriptEnabled: false });
      let rounds = 0;
      // On a busy machine a dossier may find its budget spent, and with it goes the capture.
      const seen = (name: string) =>
        eventually("an alert with a dossier", async () => {
          const opened = `${name}-${rounds++}`;
          await python(place.mark("around"), OPENS, [place.path, opened]);
          const path = await eventually("the alert", async () => {
            await tab.goto(`${url}/page/alerts?search=${encodeURIComponent(`seen-${opened}`)}`);
            const link = tab.locator(".alerts a").first();
            return await link.count() === 0 ? undefined : await link.getAttribute("href");
          });
          await tab.goto(`${url}${path}`);
          const file = tab.locator("[aria-labelledby=around] pre");
          if (await file.count() === 0) return undefined;
          return { path: `${path}`, file: await file.innerText() };
        });
      let { path, file } = await seen("<img src=x>");
      const own = tab.locator("tr.own");

      await t.step("those of its process, the alert's own marked", async () => {
        await eventually("twenty before and behind it", async () => {
          await tab.goto(`${url}${path}`);
          await tab.getByRole("link", { name: "Events of its process" }).click();
          if (await tab.locator("tr.own ~ tr").count() < 20) return undefined;
          if (await tab.locator("tbody tr").count() === 41) return true;
          // On a busy machine the ring may have begun anew just before it.
          ({ path, file } = await seen("<img src=x>"));
          return undefined;
        });
        assertEquals(await tab.locator("tbody tr").count(), 41);
        assertEquals(await own.count(), 1);
        const text = await own.innerText();
        assertIncludes(text, "openat");
        assertIncludes(text, `name=${place.path}/seen-<img src=x>`);
        assertIncludes(text, "the alert’s");
        assertEquals(await tab.locator("main img").count(), 0);
        const processes = await tab.locator("td[data-label=Process]").allInnerTexts();
        assertEquals(new Set(processes).size, 1);
        assert(/^python\S* \(\d+\)$/.test(processes[0]!), "its process is not the python");
        const numbers = (await tab.locator("td[data-label=Number]").allInnerTexts()).map(Number);
        assert(numbers.every((one, at) => at === 0 || one > numbers[at - 1]!), "out of order");
      });

      await t.step("those of all, by a link; a phone shows them", async () => {
        await tab.getByRole("link", { name: "Of all", exact: true }).click();
        await own.waitFor();
        assertEquals(await tab.locator("tbody tr").count(), 41);
        const numbers = (await tab.locator("td[data-label=Number]").allInnerTexts()).map(Number);
        assert(numbers.every((one, at) => at === 0 || one === numbers[at - 1]! + 1), "with gaps");
        const phone = await openTab(browser, { viewport: { width: 390, height: 844 } });
        await phone.tab.goto(`${url}${path}/events?of=all`);
        await phone.tab.locator("tr.own").waitFor();
        assertEquals(await overhang(phone.tab), 0);
        assertEquals(await paleTexts(phone.tab), []);
        assertEquals(phone.wrongs, []);
        await phone.close();
      });

      await t.step("a capture that is gone, or is somebody else's file, is told of", async () => {
        const kept = place.file("kept");
        await Deno.copyFile(file, kept);
        const spoiled = new Set<string>();
        // An answer stands for a moment: each is asked for another alert, which may have the
        // capture of one before it.
        const told = async (words: string, spoil: (file: string) => Promise<void>) => {
          const other = await seen("other");
          if (!spoiled.has(other.file)) {
            await eventually("the capture", () => isFile(other.file) || undefined);
          }
          spoiled.add(other.file);
          await Deno.remove(other.file).catch(() => {});
          await spoil(other.file);
          await tab.goto(`${url}${other.path}/events`);
          await tab.getByText(words).waitFor();
          assertIncludes(await tab.locator("main").innerText(), other.file);
        };
        await told("it is not there any more", () => Promise.resolve());
        await told("no file that saker wrote", (gone) => Deno.symlink(kept, gone));
        await told("no file that saker wrote", async (gone) => {
          await Deno.copyFile(kept, gone);
          await Deno.chown(gone, 65_534, 65_534);
        });
        await told("nothing has been written to it yet", (gone) => Deno.writeTextFile(gone, ""));
      });
      await close();
    }, { args: capture });
    await Deno.remove(directory, { recursive: true });
  },
});
