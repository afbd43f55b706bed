// The webhook that is part of saker, over TLS, by the built binary without a probe: who posts sees
// its certificate, and what is posted fires a rule on its fields.
import { match as assertMatch } from "node:assert";
import { assertEquals } from "./live/expect.ts";
import { eventually, freePort, runSaker, Saker } from "./live/saker.ts";
import { Place } from "./live/trigger.ts";
import { certificates } from "./outputs/grpc.ts";

const TOKEN = "0123456789abcdefgh";

Deno.test("what is posted to the webhook over TLS is judged by rules on its fields", async () => {
  await using place = new Place();
  const at = await certificates(place.path);
  const read = (name: string) => Deno.readTextFileSync(`${at}/${name}`);
  const port = freePort();
  Deno.writeTextFileSync(place.file("token"), `${TOKEN}\n`);
  Deno.writeTextFileSync(
    place.file("falco.yaml"),
    `plugins:
  - name: webhook
    open_params: https://127.0.0.1:${port}/hook
    init_config:
      tokenFile: ${place.file("token")}
      certificate: ${at}/server.pem
      key: ${at}/server.key
json_output: true
`,
  );
  Deno.writeTextFileSync(
    place.file("rules.yaml"),
    `- rule: Badge
  desc: d
  condition: webhook.number[/badge] > 1000 and webhook.header[x-door] = vault
  output: "${place.marker} %webhook.value[/who] %webhook.path"
  priority: WARNING
  source: webhook
`,
  );
  await using saker = Saker.launch([place.marker], {
    args: [
      ...["-c", place.file("falco.yaml"), "-r", place.file("rules.yaml")],
      "--enable-source=webhook",
    ],
  });
  await eventually("the webhook to listen", () => {
    return saker.told.includes(`listening at https://127.0.0.1:${port}/hook`) || undefined;
  });
  const post = async (caCerts: string[], body: string, scheme = "https") => {
    using client = Deno.createHttpClient({ caCerts });
    const headers = { authorization: `Bearer ${TOKEN}`, "x-door": "vault" };
    const url = `${scheme}://127.0.0.1:${port}/hook`;
    const response = await fetch(url, { method: "POST", body, headers, client });
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await post([read("ca.pem")], '[{"badge":7},{"badge":4711,"who":"nobody"}]'), 202);
  const alert = await eventually("the alert", () => saker.alerts()[0]);
  assertMatch(alert.output, new RegExp(`${place.marker} nobody /hook$`));
  assertEquals(alert.source, "webhook");
  const failed = (asked: Promise<number>) => asked.then(() => "answered", () => "failed");
  assertEquals(await failed(post([read("strange/client.pem")], "{}")), "failed");
  assertEquals(await failed(post([], "{}", "http")), "failed");
  assertEquals((await saker.stop()).code, 0);
});

Deno.test("a webhook whose certificate cannot be read does not start", async () => {
  await using place = new Place();
  Deno.writeTextFileSync(
    place.file("falco.yaml"),
    `plugins:
  - name: webhook
    open_params: https://127.0.0.1:${freePort()}/hook
    init_config: {certificate: ${place.file("none.pem")}, key: ${place.file("none.key")}}
`,
  );
  const args = ["-c", place.file("falco.yaml"), "--enable-source=webhook"];
  const { code, stderr } = await runSaker([...args, "--listen", "127.0.0.1:0"]);
  assertEquals(code, 1, stderr);
  assertMatch(stderr, /^Error: Plugin 'webhook': .*none\.pem.*$/m);
});
