// `saker fleet` over a real nats-server, in a real browser: hosts that are silent or lost events,
// alerts that come, what hostile publishers write, the server gone and back.
import { jetstreamManager, StorageType } from "@nats-io/jetstream";
import { assert, assertEquals, assertIncludes } from "../live/expect.ts";
import { ownCertificate } from "../../src/alerts/outputs/message_fixture.ts";
import { eventually, freePort, SAKER } from "../live/saker.ts";
import { has, Place } from "../live/trigger.ts";
import { NatsServer, noNats } from "../nats_fixture.ts";
import { browserDefect, openTab, overhang, paleTexts, startBrowser } from "./browser.ts";
import { answering, publisher, startFleet } from "./fleet_scene.ts";

const MARKUP = "<img src=x onerror=alert(1)>";

Deno.test({
  name: "saker fleet: hosts, alerts as they come, hostile ones as text, the server gone and back",
  ignore: browserDefect() !== undefined || noNats() !== undefined,
  sanitizeResources: false,
  sanitizeOps: false,
  async fn() {
    await using server = await NatsServer.start();
    const { nc, raw, alert, flood, present } = await publisher(server);
    const manager = await jetstreamManager(nc);
    await manager.streams.add({
      name: "SAKER",
      subjects: ["saker.alerts.>"],
      storage: StorageType.File,
    });
    await present("web.1");
    await present("quiet-host", { every: 1 });
    await present("losing-host", { events: { seen: 9, lost: 1234, kept_back: 0 } });
    const old = new Date(Date.now() - 600_000).toISOString();
    await alert("web.1", { message: "the needle of long ago", time: old });
    await flood("web=2E1", 10_500);
    await alert("web.1", { message: "before the page" });
    await raw("web=2E1", "{ broken");
    await raw("web=2E1", JSON.stringify({ rule: "R", message: "x".repeat(900_000) }));
    await alert("web.1", { rule: MARKUP, message: MARKUP, time: "2199-01-01T00:00:00Z" });
    await alert("losing-host", { hostname: "web.1", message: "somebody else" });
    const port = freePort();
    const url = `http://127.0.0.1:${port}`;
    const fleet = startFleet(server, port);
    const home = await Deno.makeTempDir({ prefix: "saker-fleet-" });
    const browser = await startBrowser(home, ["evil.example"]);
    try {
      await answering(url);
      const { tab, wrongs, close } = await openTab(browser);
      const row = (host: string) => tab.locator("tbody tr", { hasText: host });
      // A state that needs time is asked for again.
      const seen = async (host: string, text: string) => {
        for (let at = 0; at < 60; at++) {
          await tab.goto(url);
          if (await row(host).filter({ hasText: text }).count() === 1) return;
          await tab.waitForTimeout(250);
        }
        throw new Error(`${host} is not ${text}: ${await tab.locator("main").innerText()}`);
      };
      const wholeSearched = async () => {
        const end = tab.getByText("All that the stream keeps was searched.");
        await end.waitFor().catch(async (error) => {
          throw new Error(`${error.message}: ${await tab.getByLabel("Alerts").innerText()}`);
        });
      };
      await seen("quiet-host", "silent");
      await seen("losing-host", "lost events");
      assertIncludes(await row("losing-host").innerText(), "1,234");
      await seen("web.1", "running");
      assertIncludes(await tab.locator("tbody tr").first().innerText(), "quiet-host");
      // What waits in the stream is read after the bucket, or before it.
      await eventually("all to be read", async () => {
        await tab.goto(url);
        const text = await tab.locator("main").innerText();
        return text.includes("1 message of the stream were no alert") || undefined;
      });
      await tab.goto(`${url}/page/alerts`);
      await tab.locator(".alerts li", { hasText: "before the page" }).waitFor();
      await tab.locator(".alerts li", { hasText: MARKUP }).first().waitFor();
      await alert("web.1", { message: "while it is looked at" });
      await tab.locator(".alerts li", { hasText: "while it is looked at" }).waitFor();
      await tab.goto(`${url}/page/alerts?host=losing-host`);
      assertEquals(await tab.locator(".alerts li").count(), 1);
      await tab.locator(".alerts li a").click();
      assertIncludes(await tab.locator("main").innerText(), "hostname in the alert");
      await tab.goto(`${url}/page/alerts?search=looked+at`);
      assertEquals(await tab.locator(".alerts li").count(), 1);
      // What is not held any more is found in the stream.
      await tab.goto(`${url}/page/alerts?search=needle`);
      assertEquals(await tab.locator(".alerts li").count(), 0);
      await tab.getByRole("link", { name: "Search the whole stream" }).click();
      await wholeSearched();
      assertIncludes(await tab.getByRole("status").last().innerText(), "of 10,50");
      assertEquals(await tab.locator(".alerts li").count(), 1);
      await tab.locator(".alerts li a").click();
      assertIncludes(await tab.locator("main").innerText(), "the needle of long ago");
      await tab.goto(`${url}/page/search`);
      assertEquals(await tab.locator(".alerts li").count(), 0);
      await tab.getByLabel("Host").fill("web.1");
      await tab.getByLabel("To (UTC)").fill(new Date(Date.now() - 300_000).toISOString());
      await tab.getByRole("button", { name: "Search" }).click();
      await wholeSearched();
      assertEquals(await tab.locator(".alerts li").count(), 1);
      await tab.goto(`${url}/page/search?from=yesterday`);
      await tab.getByRole("alert").filter({ hasText: "expected a time" }).waitFor();
      // It goes on with what it has found.
      await tab.goto(`${url}/page/search?rule=Flood`);
      await tab.getByText("It stopped at 200 alerts.").waitFor();
      await tab.locator(".alerts li", { hasText: /flood 104\d\d/ }).first().waitFor();
      await tab.getByRole("link", { name: "Go on with older ones" }).click();
      await tab.getByText("It stopped at 200 alerts.").waitFor();
      await tab.locator(".alerts li", { hasText: /flood 102\d\d/ }).first().waitFor();
      assertEquals(await tab.locator(".alerts li", { hasText: /flood 104\d\d/ }).count(), 0);
      assertEquals(await tab.locator(".alerts li").count(), 200);
      for (let at = 0;; at++) {
        await tab.goto(`${url}/page/rules`);
        if (await row("Flood").filter({ hasText: "10,500" }).count() === 1) break;
        assert(at < 240, await tab.locator("main").innerText());
        await tab.waitForTimeout(250);
      }
      assertIncludes(await row("Flood").innerText(), "web.1 (10,500)");
      assertEquals(await row("losing-host (1)").count(), 1);
      await tab.goto(`${url}/page/search?search=long+ago`);
      assertEquals(await paleTexts(tab), []);
      assertEquals(await overhang(tab), 0);
      const strange = await tab.goto(`http://evil.example:${port}/`);
      assertEquals(strange?.status(), 403);
      await nc.close();
      await server.end();
      await tab.goto(url);
      await tab.getByRole("alert").filter({ hasText: "NATS" }).waitFor();
      await server.again();
      const again = await publisher(server);
      await tab.goto(`${url}/page/alerts`);
      await again.alert("web.1", { message: "after it came back" });
      await tab.locator(".alerts li", { hasText: "after it came back" }).waitFor();
      assertEquals(await tab.locator(".alerts li", { hasText: "before the page" }).count(), 1);
      await again.nc.close();
      assertEquals(wrongs, []);
      await close();
    } finally {
      await browser.close();
      fleet.kill("SIGTERM");
      const { code } = await fleet.status;
      await Deno.remove(home, { recursive: true });
      assert(code === 0, `it ended with ${code}`);
    }
  },
});

Deno.test({
  name: "saker fleet: of 250 hosts those of a version, of rules, and with most alerts are found",
  ignore: browserDefect() !== undefined || noNats() !== undefined,
  sanitizeResources: false,
  sanitizeOps: false,
  async fn() {
    await using server = await NatsServer.start();
    const { nc, alert, present } = await publisher(server);
    await (await jetstreamManager(nc)).streams.add({ name: "SAKER", subjects: ["saker.alerts.>"] });
    for (let at = 0; at < 250; at++) {
      await present(`node-${at}.example`, {
        version: at < 3 ? "0.0.9" : "0.1.0",
        rules: { sum: (at === 7 ? "f" : "a").repeat(64), count: 9 },
        alerts: { total: at === 123 ? 4567 : at, by_priority: {}, by_rule: {} },
      });
    }
    await alert("node-7.example", { rule: "Rare rule", message: "of this host alone" });
    await alert("node-8.example", { rule: "Rare rule", message: "of another" });
    const port = freePort();
    const url = `http://127.0.0.1:${port}`;
    const fleet = startFleet(server, port);
    const home = await Deno.makeTempDir({ prefix: "saker-fleet-" });
    const browser = await startBrowser(home);
    try {
      await answering(url);
      const { tab, wrongs, close } = await openTab(browser);
      const rows = tab.locator("tbody tr");
      await eventually("all hosts", async () => {
        await tab.goto(url);
        return await tab.getByText("1 to 100 of 250").count() === 1 || undefined;
      }, 60_000);
      await tab.getByRole("link", { name: "Further hosts" }).click();
      await tab.getByRole("link", { name: "Further hosts" }).click();
      await tab.getByText("201 to 250 of 250").waitFor();
      assertEquals(await rows.count(), 50);
      assertEquals(await tab.getByRole("link", { name: "Further hosts" }).count(), 0);
      // The most alerts first, and a search keeps that.
      await tab.goto(url);
      await tab.getByRole("link", { name: "Alerts", exact: true }).last().click();
      assertIncludes(await rows.first().innerText(), "node-123.example");
      await tab.getByLabel("Name").fill("NODE-24");
      await tab.getByRole("button", { name: "Search" }).click();
      assertIncludes(await rows.first().innerText(), "node-249.example");
      assertEquals(await rows.count(), 11);
      // From rules in force and versions to the hosts, and from a host to its alerts.
      await tab.goto(`${url}/page/rules`);
      await tab.getByText("0.0.9: ").getByRole("link", { name: "3 hosts" }).click();
      await tab.getByText("1 to 3 of 3").waitFor();
      await tab.goto(`${url}/page/rules`);
      await tab.getByText("f".repeat(63)).getByRole("link", { name: "1 host" }).click();
      await tab.getByText("1 to 1 of 1").waitFor();
      assertEquals(await overhang(tab), 0);
      assertEquals(await paleTexts(tab), []);
      await rows.first().getByRole("link", { name: "7", exact: true }).click();
      await tab.getByText("of this host alone").waitFor();
      assertEquals(await tab.locator(".alerts li").count(), 1);
      await tab.getByRole("link", { name: "The last hour" }).click();
      await tab.getByText("of this host alone").waitFor();
      assert(new URL(tab.url()).searchParams.get("from") !== null);
      assertEquals(new URL(tab.url()).searchParams.get("host"), "node-7.example");
      // Who has no rules of a roll-out that is looked for is none.
      await tab.goto(`${url}/?version=9.9.9&rules=ab`);
      await tab.getByText("There is no such host.").waitFor();
      await tab.getByRole("link", { name: "version 9.9.9" }).click();
      assertEquals(new URL(tab.url()).search, "?rules=ab");
      assertEquals(wrongs, []);
      await close();
    } finally {
      await browser.close();
      await nc.close();
      fleet.kill("SIGTERM");
      await fleet.status;
      await Deno.remove(home, { recursive: true });
    }
  },
});

Deno.test({
  name: "saker fleet: its log tells when nothing comes from NATS, and when it does again",
  ignore: noNats() !== undefined,
  async fn() {
    await using server = await NatsServer.start();
    const { nc } = await publisher(server);
    await (await jetstreamManager(nc)).streams.add({ name: "SAKER", subjects: ["saker.alerts.>"] });
    await nc.close();
    const port = freePort();
    const fleet = startFleet(server, port, [], "piped");
    let told = "";
    const read = (async () => {
      for await (const text of fleet.stderr.pipeThrough(new TextDecoderStream())) told += text;
    })();
    const says = (text: string) => eventually(text, () => told.includes(text) || undefined);
    try {
      const url = `http://127.0.0.1:${port}/`;
      await answering(url);
      await eventually(
        "it to be well",
        async () => (await (await fetch(url)).text()).includes(">watching<") || undefined,
      );
      assert(!told.includes("NATS"), told);
      await server.end();
      await says("saker fleet: nothing comes from NATS: ");
      await server.again();
      await says("saker fleet: NATS is read again\n");
    } finally {
      fleet.kill("SIGTERM");
      await fleet.status;
      await read;
    }
    assert(told.endsWith("NATS is read again\n"), told);
  },
});

Deno.test({
  name: "saker fleet: nobody from another host is let in without a token",
  ignore: noNats() !== undefined,
  async fn() {
    const far = Deno.networkInterfaces().find(({ family, address }) =>
      family === "IPv4" && !address.startsWith("127.")
    )?.address;
    if (far === undefined) return;
    await using server = await NatsServer.start();
    const port = freePort();
    const fleet = startFleet(server, port, ["--listen", `0.0.0.0:${port}`]);
    try {
      await answering(`http://${far}:${port}/`);
      const answer = await fetch(`http://${far}:${port}/page/alerts`);
      await answer.body?.cancel();
      assertEquals(answer.status, 401);
    } finally {
      fleet.kill("SIGTERM");
      await fleet.status;
    }
  },
});

Deno.test({
  name: "saker fleet: over TLS the token lets in, another name of the server and no token do not",
  ignore: noNats() !== undefined || !has("openssl"),
  async fn() {
    await using server = await NatsServer.start();
    await using place = new Place();
    const { certificate, key } = await ownCertificate(place.path, "localhost");
    await Deno.writeTextFile(place.file("page.pem"), `${key}${certificate}`);
    await Deno.writeTextFile(place.file("ca.pem"), certificate);
    await Deno.writeTextFile(place.file("token"), "a-token-of-a-test-1234");
    const port = freePort();
    const fleet = startFleet(server, port, [
      ...["-o", `webserver.token_file=${place.file("token")}`],
      ...["-o", "webserver.ssl_enabled=true"],
      ...["-o", `webserver.ssl_certificate=${place.file("page.pem")}`],
    ]);
    using client = Deno.createHttpClient({ caCerts: [certificate] });
    const url = `https://localhost:${port}`;
    const ask = async (path: string, init: RequestInit = {}) => {
      const answer = await fetch(`${url}${path}`, { client, redirect: "manual", ...init });
      return { status: answer.status, headers: answer.headers, text: await answer.text() };
    };
    try {
      await answering(url, client);
      for (const path of ["/", "/page/search?search=x", "/page/rows", "/page/live"]) {
        assertEquals((await ask(path)).status, 401, path);
      }
      const signIn = (token: string) =>
        ask("/page/sign-in", {
          method: "POST",
          body: new URLSearchParams({ token, next: "/page/search?search=x" }),
        });
      assertEquals((await signIn("another-token-of-a-test")).status, 401);
      const { status, headers } = await signIn("a-token-of-a-test-1234");
      assertEquals([status, headers.get("location")], [303, "/page/search?search=x"]);
      const cookie = headers.get("set-cookie")!;
      assertIncludes(cookie, "; HttpOnly; SameSite=Strict; Secure");
      const inside = { headers: { cookie: cookie.split(";")[0]! } };
      assertEquals((await ask("/page/hosts/nobody", inside)).status, 404);
      assertIncludes((await ask("/", inside)).text, "0 hosts");
      // A link lets in without the token, once, and only who has the token is given one.
      assertEquals((await ask("/page/link", { method: "POST", ...inside })).status, 401);
      const { code, stdout } = await new Deno.Command(SAKER, {
        args: [
          ...["page", "--url", url, "--token-file", place.file("token")],
          ...["--ca-file", place.file("ca.pem")],
        ],
        stdin: "null",
        stdout: "piped",
        stderr: "inherit",
      }).output();
      assertEquals(code, 0);
      const link = new URL(new TextDecoder().decode(stdout).trim());
      assertEquals(link.origin, url);
      const opened = await ask(link.pathname + link.search);
      assertEquals(opened.status, 200);
      assertIncludes(opened.headers.get("set-cookie")!, "; HttpOnly; SameSite=Strict; Secure");
      const again = await ask(link.pathname + link.search);
      assertEquals(again.status, 401);
      assertIncludes(again.text, `saker page --url ${url}`);
      const foreign = { headers: { ...inside.headers, "sec-fetch-site": "cross-site" } };
      assertEquals((await ask("/page/rows", foreign)).status, 403);
    } finally {
      fleet.kill("SIGTERM");
      await fleet.status;
    }
  },
});
