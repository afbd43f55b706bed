// Three real sakers and `saker fleet` in a real browser: one is killed and is told silent, one's
// rings overflow and it is told to have lost events, one goes on; the alerts of all are there.
import { assert, assertEquals, assertIncludes } from "../live/expect.ts";
import { standStill } from "../patience.ts";
import { eventually, freePort, SAKER, Saker } from "../live/saker.ts";
import { Place, python } from "../live/trigger.ts";
import { NatsServer, noNats } from "../nats_fixture.ts";
import { openTab, startBrowser } from "./browser.ts";
import { bytesOf, ignore, OPEN, ruleOf } from "./scene.ts";

/** More than the smallest ring holds. */
const CALLS = "import ctypes, sys\ncall = ctypes.CDLL(None).syscall\n" +
  "for _ in range(40000): call(282, -1, 0, 0)\n";

Deno.test({
  name: "saker fleet: of three sakers the one that was killed is silent, another lost events",
  ignore: ignore || noNats() !== undefined,
  sanitizeResources: false,
  sanitizeOps: false,
  async fn() {
    await using server = await NatsServer.start();
    await using place = new Place();
    const lossy = "- {rule: Calls, desc: d, condition: evt.type = signalfd and proc.name = x, " +
      "output: o, priority: INFO}\n";
    await Deno.writeTextFile(place.file("rules.yaml"), `${ruleOf(place)}${lossy}`);
    const start = (name: string, more: readonly string[] = []) =>
      Saker.start([], {
        args: [
          ...["-r", place.file("rules.yaml"), ...more],
          ...["-o", `nats_output={enabled: true, url: "${server.url}", presence_every: 3s}`],
        ],
        env: { FALCO_HOSTNAME: name },
      });
    await using running = await start("web-1.example");
    await using losing = await start("web-2", ["-o", "engine.modern_ebpf.buf_size_preset=1"]);
    await using killed = await start("db-1");
    const port = freePort();
    const fleet = new Deno.Command(SAKER, {
      args: ["fleet", "--nats", server.url, "--listen", `127.0.0.1:${port}`],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const browser = await startBrowser(place.path);
    try {
      const { tab, wrongs, close } = await openTab(browser);
      const url = `http://127.0.0.1:${port}`;
      await eventually("the page", () => fetch(url).then((one) => one.text(), () => undefined));
      const seen = (host: string, text: string) =>
        eventually(`${host} to be ${text}`, async () => {
          await tab.goto(url);
          const row = tab.locator("tbody tr", { hasText: host }).filter({ hasText: text });
          return await row.count() === 1 ? row : undefined;
        }, 60_000);
      // On a busy machine any of them may have lost some already.
      for (const host of ["web-1.example", "web-2", "db-1"]) await seen(host, "");
      // Nor may all have told of themselves in time there.
      await eventually("nobody to be silent", async () => {
        await tab.goto(url);
        return await tab.getByText("silent").count() === 0 || undefined;
      }, 60_000);
      await python(place.mark("open"), OPEN, [place.path, bytesOf("-by-three")]);
      for (const host of ["web-1.example", "web-2", "db-1"]) {
        await eventually(`the alert of ${host}`, async () => {
          await tab.goto(`${url}/page/alerts?host=${host}&search=seen-by-three`);
          return await tab.locator(".alerts li").count() > 0 || undefined;
        }, 60_000);
      }
      Deno.kill(killed.pid, "SIGKILL");
      await standStill(losing.pid);
      try {
        await python(place.mark("flood"), CALLS, []);
      } finally {
        Deno.kill(losing.pid, "SIGCONT");
      }
      await seen("db-1", "silent");
      const lost = await seen("web-2", "lost events");
      assert(/[1-9]/.test((await lost.locator("td").nth(3).innerText()).trim()));
      await seen("web-1.example", "");
      // Those in trouble first.
      assertIncludes(await tab.locator("tbody tr").first().innerText(), "db-1");
      await tab.goto(`${url}/?state=silent`);
      assertEquals(await tab.locator("tbody tr").count(), 1);
      assert(running.pid > 0);
      await running.stop();
      await seen("web-1.example", "stopped");
      assertEquals(wrongs, []);
      await close();
    } finally {
      await browser.close();
      fleet.kill("SIGTERM");
      await fleet.status;
    }
  },
});
