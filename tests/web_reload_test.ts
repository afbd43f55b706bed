// Web server and metrics by another configuration while saker runs: other ports, TLS, tokens, paths
// and files hold at once; what cannot be changes nothing and is told. Needs no root.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { ownCertificate } from "../src/alerts/outputs/message_fixture.ts";
import { spawnMain } from "./main_process.ts";
import { eventually, freePort } from "./outputs/place.ts";

const RULE = "- rule: R\n  desc: d\n  condition: evt.type = open\n  output: o\n  priority: INFO\n";
const TOKEN = "a-token-of-twenty-characters";

class Watch implements AsyncDisposable {
  readonly directory = Deno.makeTempDirSync();
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<unknown>;
  told = "";
  #reloads = 0;

  constructor(webserver: string) {
    Deno.writeTextFileSync(this.file("rules.yaml"), RULE);
    this.#write(webserver);
    this.#child = spawnMain(["-c", this.file("saker.yaml"), "-r", this.file("rules.yaml")]);
    const reading = async () => {
      for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
        this.told += text;
      }
    };
    this.#read = Promise.all([reading(), this.#child.stdout.pipeTo(new WritableStream())]);
  }

  file(name: string): string {
    return `${this.directory}/${name}`;
  }

  async hears(words: string, times = 1): Promise<void> {
    await eventually(`"${words}" in: ${this.told}`, () => {
      return this.told.split(words).length > times || undefined;
    });
  }

  /** Goes by this configuration, or has refused what of it cannot be. */
  async reload(webserver: string): Promise<void> {
    this.#write(webserver);
    this.#child.kill("SIGHUP");
    await this.hears("Reloaded: 1 rules", ++this.#reloads);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    const { code } = await this.#child.status;
    await this.#read;
    Deno.removeSync(this.directory, { recursive: true });
    strictEqual(code, 0, this.told);
  }

  #write(rest: string): void {
    const text = "engine: {kind: nodriver}\nwatch_config_files: false\njson_output: true\n";
    Deno.writeTextFileSync(this.file("saker.yaml"), text + rest);
  }
}

/** What is answered; 0: nobody listens there. */
async function statusOf(url: string, token?: string, caCerts: string[] = []): Promise<number> {
  const client = Deno.createHttpClient({ caCerts });
  try {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(url, { headers, client });
    await response.body?.cancel();
    return response.status;
  } catch {
    return 0;
  } finally {
    client.close();
  }
}

async function answers(url: string, wanted: number, token?: string, caCerts: string[] = []) {
  let status = 0;
  await eventually(`${wanted}`, async () => {
    status = await statusOf(url, token, caCerts);
    return status === wanted || undefined;
  }).catch((error: Error) => {
    throw new Error(`${error.message}: ${url} answers ${status}`);
  });
}

Deno.test("a reload moves the web server; one that cannot be leaves it as it is", async () => {
  const [first, second] = [freePort(), freePort()];
  await using watch = new Watch(`webserver: {listen_port: ${first}}\n`);
  await answers(`http://127.0.0.1:${first}/status`, 200);
  await watch.hears("sees nothing");

  Deno.writeTextFileSync(watch.file("token"), `${TOKEN}\n`);
  const open = `token_file: ${watch.file("token")}, k8s_healthz_endpoint: /live`;
  await watch.reload(`webserver: {listen_port: ${first}, ${open}}\n`);
  await answers(`http://127.0.0.1:${first}/status`, 401);
  await answers(`http://127.0.0.1:${first}/status`, 200, TOKEN);
  await answers(`http://127.0.0.1:${first}/live`, 200);
  await answers(`http://127.0.0.1:${first}/healthz`, 404);

  await watch.reload(`webserver: {listen_port: ${second}}\n`);
  await answers(`http://127.0.0.1:${second}/status`, 200);
  await answers(`http://127.0.0.1:${first}/status`, 0);
  await watch.hears(`Health is at http://127.0.0.1:${second}/healthz`);

  const { certificate, key } = await ownCertificate(watch.directory, "localhost");
  Deno.writeTextFileSync(watch.file("both.pem"), certificate + key);
  const tls = `ssl_enabled: true, ssl_certificate: ${watch.file("both.pem")}`;
  await watch.reload(`webserver: {listen_port: ${second}, ${tls}}\n`);
  await answers(`https://localhost:${second}/status`, 200, undefined, [certificate]);
  await answers(`http://127.0.0.1:${second}/status`, 0);

  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await watch.reload(`webserver: {listen_port: ${taken.addr.port}}\n`);
  await watch.hears(`webserver: stays as it was: Cannot listen on 127.0.0.1:${taken.addr.port}`);
  await watch.reload(`webserver: {listen_port: ${first}, token_file: /nowhere/token}\n`);
  await watch.hears("webserver: stays as it was: webserver.token_file: Cannot read /nowhere/token");
  const client = Deno.createHttpClient({ caCerts: [certificate] });
  const response = await fetch(`https://localhost:${second}/healthz`, { client });
  const { status, reason } = await response.json();
  client.close();
  strictEqual(status, "degraded");
  match(reason, /webserver: stays as it was/);

  await watch.reload("webserver: {enabled: false}\n");
  await answers(`https://localhost:${second}/status`, 0, undefined, [certificate]);
  await watch.reload(`webserver: {listen_port: ${first}}\n`);
  await answers(`http://127.0.0.1:${first}/status`, 200);
  ok(!watch.told.includes("takes a restart"), watch.told);
});

Deno.test("a reload begins, changes and ends metrics", async () => {
  const port = freePort();
  const web = `webserver: {listen_port: ${port}, prometheus_metrics_enabled: true}\n`;
  const metrics = (file: string) =>
    `metrics: {enabled: true, interval: 100ms, output_file: ${file}}\n`;
  await using watch = new Watch(web);
  await answers(`http://127.0.0.1:${port}/metrics`, 404);
  await watch.hears("sees nothing");
  for (const name of ["one", "two"]) {
    await watch.reload(web + metrics(watch.file(name)));
    await answers(`http://127.0.0.1:${port}/metrics`, 200);
    const lines = await eventually(`snapshots in ${name}`, () => {
      try {
        const text = Deno.readTextFileSync(watch.file(name));
        return text.endsWith("\n") ? text.trim().split("\n") : undefined;
      } catch {
        return undefined;
      }
    });
    strictEqual(JSON.parse(lines[0]!).sample, 1);
  }
  await watch.reload("webserver: {enabled: false}\nmetrics: {enabled: true}\n");
  await watch.hears("metrics: stays as it was: Metrics are enabled with no output configured");
  await watch.reload(web);
  await answers(`http://127.0.0.1:${port}/metrics`, 404);
  deepStrictEqual(watch.told.includes("takes a restart"), false, watch.told);
});
