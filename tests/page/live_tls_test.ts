// The built binary's page over TLS, with a certificate of its own: who signs in there has a cookie
// that leaves for nothing but this host, over TLS.
import { ownCertificate } from "../../src/alerts/outputs/message_fixture.ts";
import { assert, assertEquals } from "../live/expect.ts";
import { eventually, freePort, Saker } from "../live/saker.ts";
import { has, Place, python } from "../live/trigger.ts";
import { openTab, startBrowser } from "./browser.ts";
import { bytesOf, ignore, OPEN, ruleOf } from "./scene.ts";

const TOKEN = "a-token-of-a-test-1234";

Deno.test({
  name: "over TLS one signs in, alerts come by themselves, and the cookie is of this host alone",
  ignore: ignore || !has("openssl"),
  sanitizeResources: false,
  sanitizeOps: false,
  async fn() {
    await using place = new Place();
    await Deno.writeTextFile(place.file("rules.yaml"), ruleOf(place));
    const { certificate, key } = await ownCertificate(place.path, "localhost");
    const pem = place.file("falco.pem");
    await Deno.writeTextFile(pem, `${key}${certificate}`);
    const port = freePort();
    const url = `https://localhost:${port}`;
    await using saker = Saker.launch([], {
      args: [
        ...["-r", place.file("rules.yaml"), "-o", `webserver.token=${TOKEN}`],
        ...["-o", "webserver.ssl_enabled=true", "-o", `webserver.ssl_certificate=${pem}`],
      ],
      port,
    });
    await eventually("it to listen", () => saker.told.includes("health at https://") || undefined);
    const browser = await startBrowser(place.path);
    try {
      // Whoever has not been told to trust the certificate is not let on by the browser.
      const wary = await openTab(browser, { ignoreHTTPSErrors: false });
      const refusal = await wary.tab.goto(url).then(() => "", (error: Error) => error.message);
      assert(refusal.includes("ERR_CERT_AUTHORITY_INVALID"), `no refusal: ${refusal}`);
      await wary.close();

      const { tab, wrongs, close } = await openTab(browser);
      const refused = await tab.goto(`${url}/page/alerts`);
      assertEquals(refused?.status(), 401);
      await tab.getByLabel("Token").fill(TOKEN);
      await tab.keyboard.press("Enter");
      await tab.getByRole("heading", { name: "Alerts", exact: true }).waitFor();
      const cookies = (await tab.context().cookies()).map((cookie) => {
        const { name, httpOnly, sameSite, secure, domain, path } = cookie;
        return { name, httpOnly, sameSite, secure, domain, path };
      });
      assertEquals(cookies, [{
        ...{ name: `__Host-saker${port}`, httpOnly: true, sameSite: "Strict", secure: true },
        ...{ domain: "localhost", path: "/" },
      }]);
      await python(place.mark("open"), OPEN, [place.path, bytesOf("-over-tls")]);
      await tab.locator(".alerts li", { hasText: "seen-over-tls" }).first().waitFor();
      await tab.getByRole("button", { name: "Sign out" }).click();
      await tab.getByRole("heading", { name: "Signed out" }).waitFor();
      assertEquals(await tab.context().cookies(), []);
      assertEquals((await tab.goto(url))?.status(), 401);
      assertEquals(wrongs, []);
      await close();
    } finally {
      await browser.close();
    }
  },
});
