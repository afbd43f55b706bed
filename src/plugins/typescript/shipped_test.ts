// The plugins that are part of saker, through the port that everybody's go through: a log that is
// followed through rotations, lines of each form, and what is posted to the webhook.
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert";
import { shownValues } from "./column_text.ts";
import { authorTypes } from "./shipped.ts";
import { loadTypeScriptPlugin } from "./load_plugin.ts";
import { TypeScriptPort } from "./port.ts";
import { BlockWalk, Step } from "../../events/blocks.ts";
import { Event } from "../../events/event.ts";
import { templateOf } from "./template.ts";

async function portOf(name: string, params: string, config: unknown = {}): Promise<TypeScriptPort> {
  const path = `saker:${name}.ts`;
  const granted = "asked";
  const entry = { name, path, config, params, granted, memoryMb: 256 } as const;
  const port = new TypeScriptPort(await loadTypeScriptPlugin(entry));
  port.open(params);
  return port;
}

/** Reads until as many events are there; the values of fields, as `name` or `name[key]`. */
async function valuesOf(
  port: TypeScriptPort,
  count: number,
  wanted: readonly string[],
): Promise<unknown[][]> {
  const buffer = new Uint8Array(1 << 20);
  const all: unknown[][] = [];
  for (let waits = 0; all.length < count; waits++) {
    ok(waits < 4_000, `there are ${all.length} events, ${count} are waited for`);
    const bytes = port.read(buffer);
    if (bytes <= 0) {
      port.wait(20);
      // What posts is on this thread.
      await new Promise((resolve) => setTimeout(resolve, 10));
      continue;
    }
    const walk = new BlockWalk(new Event());
    walk.begin(buffer, bytes);
    let events = 0;
    while (walk.next() === Step.Event) events++;
    const columns = wanted.map((text) => {
      const [, name, key] = /^([^[]+)(?:\[(.*)\])?$/.exec(text)!;
      const at = port.info.fields.findIndex((field) => field.name === name);
      const argument = key === undefined ? undefined : { key };
      return shownValues(port.info.fields[at]!, port.column(at, argument, 0, events));
    });
    for (let event = 0; event < events; event++) {
      all.push(columns.map((column) => column[event]![0]));
    }
  }
  return all;
}

Deno.test("logfile reads lines of JSON, of both kinds of syslog, and of text", async () => {
  const file = Deno.makeTempFileSync();
  const lines = [
    '<165>1 2026-11-26T21:00:00.003Z web.example app 42 ID47 [x@1 k="a\\"b"][y z="1"] \ufeffhello',
    "<34>Oct 11 22:14:15 mymachine su[12]: 'su root' failed",
    "2026-11-26T20:00:01.5+00:00 host sshd[77]: Accepted",
    '{"level":"Warn","msg":"slow","user":{"name":"root"},"status":503,"time":1795726800}',
    "just text",
    "<999>1 2026-11-26T21:00:00Z h a - - - too high",
    '<14>1 - - - - - - {"msg":"inner","n":"7"}',
  ];
  Deno.writeTextFileSync(file, `${lines.join("\n")}\n`);
  const port = await portOf("logfile", file, { from: "start" });
  const values = await valuesOf(port, lines.length, [
    "log.format",
    "log.level",
    "log.facility",
    "log.program",
    "log.pid",
    "log.message",
    "log.data[x@1/k]",
    "log.value[/user/name]",
    "log.number[status]",
  ]);
  const none = undefined;
  deepStrictEqual(values, [
    ["rfc5424", "notice", "local4", "app", 42, "hello", 'a"b', none, none],
    ["rfc3164", "critical", "auth", "su", 12, "'su root' failed", none, none, none],
    ["rfc3164", none, none, "sshd", 77, "Accepted", none, none, none],
    ["json", "warn", none, none, none, "slow", none, "root", 503],
    ["text", none, none, none, none, "just text", none, none, none],
    ["text", none, none, none, none, lines[5], none, none, none],
    ["rfc5424", "informational", "user", none, none, '{"msg":"inner","n":"7"}', none, none, none],
  ]);
  strictEqual(port.numbers().errors, 0);
  port.close();
  Deno.removeSync(file);
});

Deno.test("logfile follows a file through rotations, cuts and long lines", async () => {
  const directory = Deno.makeTempDirSync();
  const file = `${directory}/a.log`;
  const add = (text: string) => Deno.writeTextFileSync(file, text, { append: true });
  add("before\n");
  const port = await portOf("logfile", file);
  const next = async (...wanted: string[]) =>
    deepStrictEqual(
      (await valuesOf(port, wanted.length, ["log.line"])).flat(),
      wanted,
    );
  // It has looked at the end of the file once this one comes.
  for (let tries = 0; tries < 200 && port.read(new Uint8Array(1 << 16)) === 0; tries++) {
    add("begin\n");
    port.wait(100);
  }
  // Those of before are taken.
  add("ready\n");
  const last = async () => (await valuesOf(port, 1, ["log.line"])).at(-1)![0];
  while (await last() !== "ready");
  add("one\nha");
  add("lf\n");
  await next("one", "half");
  Deno.renameSync(file, `${file}.1`);
  Deno.writeTextFileSync(`${file}.1`, "late\n", { append: true });
  add("new\n");
  await next("late", "new");
  Deno.truncateSync(file);
  add("x\n");
  await next("x");
  add(`${"y".repeat(200_000)}\nshort\n`);
  await next("short");
  const told = port.takeNotices().map(({ line }) => line);
  ok(told.some((line) => /was cut off/.test(line)) && told.some((line) => /131072/.test(line)));
  port.close();
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("webhook takes what is posted with its token, and tells others why not", async () => {
  const tokenFile = Deno.makeTempFileSync();
  const token = "0123456789abcdef";
  Deno.writeTextFileSync(tokenFile, `${token}\n`);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port: number } = listener.addr as Deno.NetAddr;
  listener.close();
  const address = `http://127.0.0.1:${number}/hook`;
  const port = await portOf("webhook", address, { tokenFile, maxBodyBytes: 1000 });
  const post = async (body: BodyInit, headers: HeadersInit = {}, url = address) => {
    const response = await fetch(url, { method: "POST", body, headers });
    await response.body?.cancel();
    return response.status;
  };
  const right = { authorization: `Bearer ${token}`, "x-what": "push" };
  strictEqual(await post("{}"), 401);
  strictEqual(await post("{}", { authorization: `Bearer ${token}x` }), 401);
  strictEqual(await post("{}", right, `${address}/other`), 404);
  strictEqual(await post("{", right), 400);
  strictEqual(await post(JSON.stringify("x".repeat(1000)), right), 413);
  strictEqual(await post('[{"a":{"b":[1,"two"]}},{"a":5}]', right), 202);
  const wanted = ["webhook.value[/a/b/1]", "webhook.number[a]", "webhook.header[x-what]"];
  const values = await valuesOf(port, 2, [...wanted, "webhook.remote", "webhook.path"]);
  deepStrictEqual(values, [
    ["two", undefined, "push", "127.0.0.1", "/hook"],
    [undefined, 5, "push", "127.0.0.1", "/hook"],
  ]);
  match(port.takeNotices()[0]!.line, /^listening at http:\/\/127\.0\.0\.1:\d+\/hook$/);
  port.close();
  Deno.removeSync(tokenFile);
});

Deno.test("our plugins refuse settings that cannot be meant", async () => {
  await rejects(portOf("logfile", ""), /open_params: expected files/);
  await rejects(portOf("logfile", "/x", { from: "middle" }), /from: expected start or end/);
  await rejects(portOf("webhook", "ftp://x"), /open_params: expected an address/);
  await rejects(portOf("webhook", "https://127.0.0.1:1/"), /https wants certificate and key/);
});

Deno.test("the types beside our plugins are those that authors get", () => {
  const beside = new URL("../../../plugins/saker-plugin.d.ts", import.meta.url);
  strictEqual(Deno.readTextFileSync(beside), authorTypes());
});

Deno.test("the plugin to begin with runs, and is right by its types", async () => {
  const directory = Deno.makeTempDirSync();
  Deno.writeTextFileSync(`${directory}/saker-plugin.d.ts`, authorTypes());
  Deno.writeTextFileSync(`${directory}/mine.ts`, templateOf("mine"));
  const port = new TypeScriptPort(
    await loadTypeScriptPlugin({
      name: "mine",
      path: `${directory}/mine.ts`,
      config: {},
      params: "2",
      granted: {},
      memoryMb: 256,
    }),
  );
  port.open("2");
  deepStrictEqual(await valuesOf(port, 2, ["mine.count", "mine.value[text]"]), [
    [1, "event 1 of 2"],
    [2, "event 2 of 2"],
  ]);
  port.close();
  const plugins = new URL("../../../plugins/", import.meta.url).pathname;
  for (
    const files of [[`${directory}/mine.ts`], [`${plugins}logfile.ts`, `${plugins}webhook.ts`]]
  ) {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--no-config", ...files],
      env: { NO_COLOR: "1" },
    }).output();
    ok(success, new TextDecoder().decode(stderr));
  }
  Deno.removeSync(directory, { recursive: true });
});
