// The accounts that docs/scale.md and docs/fleet.md give to a host and to the page of a fleet: a
// real nats-server with them as they stand there, where somebody else has made the stream.
import { doesNotMatch } from "node:assert";
import { existsSync, readdirSync } from "node:fs";
import { SAKER } from "./live/saker.ts";
import { NatsServer, noNats } from "./nats_fixture.ts";
import { NatsHost } from "./nats_host.ts";
import { eventually, freePort } from "./patience.ts";

const WITHOUT = noNats() ?? (existsSync(SAKER) ? undefined : "there is no dist/saker");

/** The user's entry, as it stands in a document, with a password. */
function userIn(document: string, user: string): string {
  const text = Deno.readTextFileSync(new URL(`../docs/${document}`, import.meta.url));
  const found = new RegExp(`\\{user: ${user}, password: "…"[^}]*\\}\\}`).exec(text);
  if (found === null) throw new Error(`docs/${document} names no user ${user}`);
  return found[0].replace("…", "a-password");
}

/** In whatever account. */
function hasMade(server: NatsServer, name: string): boolean {
  const at = `${server.directory}/js/jetstream`;
  return existsSync(at) &&
    readdirSync(at).some((account) => existsSync(`${at}/${account}/streams/${name}`));
}

Deno.test({
  name: "fleet: the accounts that the documents give suffice for a host and for a page",
  ignore: WITHOUT !== undefined,
  async fn() {
    const directory = await Deno.makeTempDir({ prefix: "saker-accounts-" });
    const password = `${directory}/password`;
    await Deno.writeTextFile(password, "a-password\n");
    const users = [
      '{user: admin, password: "a-password"}',
      userIn("scale.md", "web-1"),
      userIn("fleet.md", "page"),
    ];
    await using server = await NatsServer.start({
      more: `authorization {users: [${users.join("\n")}]}`,
    });
    const isWell = (health: { outputs: readonly { name: string; state: string }[] }) =>
      health.outputs.some(({ name, state }) => name === "nats" && state === "ok");
    const as = (user: string) => `url: "${server.url}", user: ${user}, password_file: ${password}`;
    {
      await using first = new NatsHost("first", as("admin"));
      await first.health("it is well", isWell);
      await eventually(
        "stream and bucket to be made",
        () => ["SAKER", "KV_saker_hosts"].every((name) => hasMade(server, name)) || undefined,
      );
    }
    await using host = new NatsHost("web-1", as("web-1"));
    await host.health("the host to be well", isWell);
    const port = freePort();
    const page = new Deno.Command(SAKER, {
      args: [
        ...["fleet", "--nats", server.url, "--listen", `127.0.0.1:${port}`, "--name", "wall"],
        ...["-o", "nats_output.user=page", "-o", `nats_output.password_file=${password}`],
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    try {
      const shows = (path: string, text: string) => {
        let last = "";
        return eventually(`${path} to show ${text}`, async () => {
          const answer = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
          last = await answer?.text() ?? "";
          return last.includes(text) ? last : undefined;
        }).catch((error: Error) => {
          throw new Error(`${error.message}: ${last}`);
        });
      };
      await shows("/", 'href="/page/hosts/web-1"');
      const rules = await shows("/page/rules", "kept as &quot;wall&quot;");
      doesNotMatch(rules, /may not/);
      await shows("/page/search?host=web-1", "All that the stream keeps was searched");
      doesNotMatch(server.log(), /Violation - User "page"/);
      doesNotMatch(host.told, /cannot tell of itself/);
    } finally {
      page.kill("SIGTERM");
      await page.status;
      await Deno.remove(directory, { recursive: true });
    }
  },
});
