// Who is let in to the built binary's page: the token in a form, a link that is good once, names of
// others refused; and what a browser shows when saker goes and comes back.
import { assert, assertEquals, assertIncludes } from "../live/expect.ts";
import { eventually, freePort, runSaker, Saker } from "../live/saker.ts";
import { openTab } from "./browser.ts";
import { bytesOf, ignore, withScene } from "./scene.ts";

const LOOSE = { sanitizeResources: false, sanitizeOps: false };
const TOKEN = "a-token-of-a-test-1234";

/** An address of this host that is no loopback. */
function farAddress(): string | undefined {
  return Deno.networkInterfaces().find(({ family, address }) =>
    family === "IPv4" && !address.startsWith("127.")
  )?.address;
}

Deno.test({
  name: "the token is asked for in a form, and the browser keeps a session, not the token",
  ignore: ignore || farAddress() === undefined,
  ...LOOSE,
  async fn() {
    const port = freePort();
    const args = ["-o", `webserver.token=${TOKEN}`, "--listen", `0.0.0.0:${port}`];
    await withScene(async ({ browser, open }) => {
      const url = `http://${farAddress()}:${port}`;
      const { tab, wrongs, close } = await openTab(browser);
      const refused = await tab.goto(`${url}/page/alerts?search=seen`);
      assertEquals(refused?.status(), 401);
      await tab.getByLabel("Token").fill("no-such-token");
      await tab.getByRole("button", { name: "Sign in" }).click();
      await tab.getByText("This is not the token.").waitFor();
      await tab.getByLabel("Token").fill(TOKEN);
      await tab.keyboard.press("Enter");
      await tab.waitForURL(`${url}/page/alerts?search=seen`);
      const cookies = await tab.context().cookies();
      assertEquals(
        cookies.map(({ name, httpOnly, sameSite, secure }) => ({
          name,
          httpOnly,
          sameSite,
          secure,
        })),
        [{ name: `saker${port}`, httpOnly: true, sameSite: "Strict", secure: false }],
      );
      assert(!cookies.some(({ value }) => value.includes(TOKEN)), "the cookie holds the token");
      await open([bytesOf("-in-session")]);
      await tab.locator(".alerts li", { hasText: "seen-in-session" }).first().waitFor();
      await tab.getByRole("button", { name: "Sign out" }).click();
      await tab.getByRole("heading", { name: "Signed out" }).waitFor();
      await tab.goto(url);
      await tab.getByLabel("Token").waitFor();
      assertEquals(wrongs, []);
      await close();
      // The cookie of a session that has ended opens nothing.
      const { name, value } = cookies[0]!;
      const old = await fetch(url, { headers: { cookie: `${name}=${value}` } });
      await old.body?.cancel();
      assertEquals(old.status, 401);
    }, { args, port });
  },
});

Deno.test({
  name: "without a token, other hosts are told why, and names of others are refused",
  ignore: ignore || farAddress() === undefined,
  ...LOOSE,
  async fn() {
    const port = freePort();
    await withScene(
      async ({ browser }) => {
        const { tab, wrongs, close } = await openTab(browser);
        const far = await tab.goto(`http://${farAddress()}:${port}/`);
        assertEquals(far?.status(), 401);
        await tab.getByRole("heading", { name: "Not from another host" }).waitFor();
        const strange = await tab.goto(`http://evil.example:${port}/`);
        assertEquals(strange?.status(), 403);
        assertIncludes(await tab.locator("body").innerText(), "evil.example");
        const near = await tab.goto(`http://localhost:${port}/`);
        assertEquals(near?.status(), 200);
        assertEquals(wrongs, []);
        await close();
      },
      { args: ["--listen", `0.0.0.0:${port}`], port },
      ["evil.example"],
    );
  },
});

Deno.test({
  name: "saker page prints a link that opens the page once",
  ignore,
  ...LOOSE,
  async fn() {
    await withScene(async ({ browser, url }) => {
      const { code, stdout, stderr } = await runSaker(["page", "--url", url]);
      assertEquals(code, 0, stderr);
      const link = stdout.trim();
      assert(link.startsWith(`${url}/page/open?code=`), "no link was printed");
      const { tab, wrongs, close } = await openTab(browser);
      await tab.goto(link);
      await tab.waitForURL(`${url}/`);
      await tab.getByRole("heading", { name: "What saker sees now" }).waitFor();
      await tab.getByRole("button", { name: "Sign out" }).waitFor();
      await tab.goto(link);
      await tab.getByRole("heading", { name: "This link is over" }).waitFor();
      assertEquals(wrongs, []);
      await close();
    });
  },
});

Deno.test({
  name: "a page says that saker is gone, and goes on when it is back",
  ignore,
  ...LOOSE,
  async fn() {
    await withScene(async ({ browser, url, place, saker, open }) => {
      const { tab, close } = await openTab(browser);
      await tab.goto(`${url}/page/alerts`);
      const state = tab.locator("#state");
      await eventually(
        "the page to see it",
        async () => ["watching", "degraded"].includes(await state.innerText()) || undefined,
      );
      await saker.stop();
      await eventually(
        "the page to say so",
        async () => await state.innerText() === "no connection" || undefined,
      );
      await using _again = await Saker.start([], {
        args: ["-r", place.file("rules.yaml")],
        port: saker.port,
      });
      await eventually(
        "the page to see it again",
        async () => await state.innerText() !== "no connection" || undefined,
      );
      await open([bytesOf("-again")]);
      await tab.locator(".alerts li", { hasText: "seen-again" }).first().waitFor();
      await close();
    });
  },
});
