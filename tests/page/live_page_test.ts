// The built binary's page in a real Chromium: an alert that a real trigger made appears by itself
// and opens; what is named like markup stays text.
import { assertEquals, assertIncludes } from "../live/expect.ts";
import { Saker } from "../live/saker.ts";
import { isRoot, Place, python } from "../live/trigger.ts";
import { browserDefect, openTab, startBrowser } from "./browser.ts";

/** A rule on what happens in a place, and nowhere else. */
function ruleOf(place: Place): string {
  return `
- rule: Page watch
  desc: A file of the test's own was opened
  condition: evt.type in (open, openat, openat2) and fd.name startswith ${place.path}/seen
  output: Opened (file=%fd.name command=%proc.cmdline)
  priority: WARNING
  tags: [page]
`;
}

/** Opens files by name, as bytes. */
const OPEN = `
import os, sys
for name in sys.argv[2:]:
    os.close(os.open(os.fsencode(name), os.O_CREAT | os.O_WRONLY, 0o600))
`;

async function withPage(
  work: (parts: {
    readonly place: Place;
    readonly saker: Saker;
    readonly browser: Awaited<ReturnType<typeof startBrowser>>;
    readonly url: string;
  }) => Promise<void>,
): Promise<void> {
  await using place = new Place();
  await Deno.writeTextFile(place.file("rules.yaml"), ruleOf(place));
  await using saker = await Saker.start([place.marker], {
    args: ["-r", place.file("rules.yaml")],
  });
  const browser = await startBrowser(place.path);
  try {
    await work({ place, saker, browser, url: `http://127.0.0.1:${saker.port}` });
  } finally {
    await browser.close();
  }
}

const ignore = !isRoot() || browserDefect() !== undefined;

Deno.test({
  name: "an alert appears on the page by itself, opens, and shows what it is about",
  ignore,
  sanitizeResources: false,
  sanitizeOps: false,
  async fn() {
    await withPage(async ({ place, browser, url }) => {
      const { tab, wrongs } = await openTab(browser);
      await tab.goto(`${url}/page/alerts`);
      await tab.getByText("No alert so far").waitFor();
      await python(place.mark("one"), OPEN, [place.file("seen-one")]);
      const row = tab.locator(".alerts li", { hasText: "seen-one" });
      await row.first().waitFor();
      assertEquals(await tab.getByText("No alert so far").isVisible(), false);
      await row.first().getByRole("link").click();
      await tab.getByRole("heading", { name: "Page watch" }).waitFor();
      assertIncludes(await tab.locator("main").innerText(), place.file("seen-one"));
      assertEquals(wrongs, []);
    });
  },
});
