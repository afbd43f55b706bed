// Alerts as records of OpenTelemetry's model, cut into requests; and what becomes of them by what a
// server answers. Requests and answers against the protocol's own messages: tests/otlp_test.ts.
import { deepStrictEqual, match, notStrictEqual, ok, rejects, strictEqual } from "node:assert";
import type { Alert } from "../../engine/contract/alert.ts";
import { formatAlert, WHOLE_JSON } from "../format/format.ts";
import { composeWith, type Message } from "../format/message.ts";
import { messages, texts } from "./message_fixture.ts";
import { type OtlpAnswer, otlpOutput } from "./otlp.ts";
import { otlpHttp } from "./otlp_http.ts";
import { fateOfGrpc, fateOfHttp, notTaken, taken } from "./otlp_answer.ts";
import { partialSuccessIn, statusMessageIn } from "./otlp_json.ts";
import { decodePartialSuccess, decodeStatus, encodeRequest } from "./otlp_protobuf.ts";
import { requestOf } from "./otlp_record.ts";
import type { PartlyWritten } from "./output.ts";

const ABOUT = { version: "1", resource: {} };
const compose = composeWith((alert) => formatAlert(alert, WHOLE_JSON));

function message(fields: Alert["outputFields"], more: Partial<Alert> = {}): Message {
  return compose({
    hostname: "h",
    message: "m",
    outputFields: fields,
    priority: 0,
    rule: "r",
    source: "syscall",
    tags: ["a", "b"],
    time: 1_700_000_000_123_456_789n,
    sequence: 7,
    degraded: false,
    ...more,
  });
}

function attributesOf(one: Message): Readonly<Record<string, unknown>> {
  return Object.fromEntries(requestOf([one], ABOUT, 0).runs[0]!.records[0]!.attributes);
}

Deno.test("otlp: a value has its own type, however large", () => {
  const { "log.record.uid": uid, ...all } = attributesOf(message([
    ["text", "x"],
    ["yes", true],
    ["small", -1],
    ["large", 2n ** 63n - 1n],
    ["too large", 2n ** 64n - 1n],
    ["half", 0.5],
    ["list", ["a", undefined, 2n]],
    ["none", undefined],
    ["rule", "of its own"],
    ["\ud800", "half a surrogate"],
  ]));
  deepStrictEqual(all, {
    degraded: false,
    id: "17979cfe3d85cd15-7",
    rule: "r",
    seq: 7n,
    source: "syscall",
    tags: ["a", "b"],
    "evt.time": 1_700_000_000_123_456_789n,
    text: "x",
    yes: true,
    small: -1n,
    large: 2n ** 63n - 1n,
    "too large": String(2n ** 64n - 1n),
    half: 0.5,
    list: ["a", 2n],
    "output_fields.rule": "of its own",
    "\ufffd": "half a surrogate",
  });
  match(String(uid), /^h\.17979cfe3d85cd15-7\.[0-9a-f]{16}$/);
});

Deno.test("otlp: an alert that is sent again has its uid, another one of its id has not", () => {
  const uid = (one: Message) => attributesOf(one)["log.record.uid"];
  strictEqual(uid(message([["a", 1]])), uid(message([["a", 1]])));
  notStrictEqual(uid(message([["a", 1]])), uid(message([["a", 2]])));
});

Deno.test("otlp: a line that is no alert's is the body of its record", () => {
  for (const text of ["", "no JSON", "[1]", "null", '"x"', '{"output_fields":[1],"output":2}']) {
    const { records } = requestOf([{ ...messages(0, 1)[0]!, text }], ABOUT, 0).runs[0]!;
    strictEqual(records[0]!.body, text);
  }
});

Deno.test("otlp: records stand under their container and pod, in the order of the alerts", () => {
  const inPod = message([
    ["container.id", "abc"],
    ["container.name", "web"],
    ["container.image.repository", "nginx"],
    ["container.image.tag", "1"],
    ["k8s.ns.name", "shop"],
    ["k8s.pod.name", "web-1"],
    ["k8smeta.deployment.name", "web"],
  ]);
  const onHost = message([["container.id", "host"], ["container.name", "host"]]);
  const elsewhere = message([], { hostname: "other" });
  const about = { version: "1", hostId: "id", resource: { "service.name": "mine", a: "b" } };
  const { runs, observed } = requestOf(
    [inPod, inPod, onHost, inPod, elsewhere],
    about,
    1_700_000_000_000,
  );
  strictEqual(observed, 1_700_000_000_000_000_000n);
  deepStrictEqual(runs.map(({ records }) => records.length), [2, 1, 1, 1]);
  const host = { "service.name": "mine", "service.version": "1", "host.id": "id", a: "b" };
  const of = runs.map(({ resource }) => Object.fromEntries(resource));
  deepStrictEqual(of[0], {
    ...host,
    "host.name": "h",
    "container.id": "abc",
    "container.name": "web",
    "container.image.name": "nginx",
    "container.image.tags": ["1"],
    "k8s.namespace.name": "shop",
    "k8s.pod.name": "web-1",
    "k8s.deployment.name": "web",
  });
  deepStrictEqual(of[1], { ...host, "host.name": "h" });
  deepStrictEqual(of[3], { ...host, "host.name": "other" });
});

/** An output whose server answers as it is told; `sent` has the texts of each request. */
function outputTo(answer: (texts: readonly string[], at: number) => OtlpAnswer) {
  const sent: string[][] = [];
  const output = otlpOutput({
    open: () =>
      Promise.resolve({
        send(all: readonly Message[]): Promise<OtlpAnswer> {
          sent.push(all.map(({ text }) => text));
          return Promise.resolve(answer(sent.at(-1)!, sent.length - 1));
        },
        close() {},
      }),
    timeoutMs: 60_000,
  });
  return { sent, output };
}

const FINE = taken({ rejected: 0, why: "" });
const NO = notTaken("refused", "400", "bad");

/** As the queue does: what is left behind what was taken or refused, until nothing is. */
async function writeAll(all: Message[], { output }: ReturnType<typeof outputTo>): Promise<number> {
  let refused = 0;
  for (let rest = all; rest.length > 0;) {
    try {
      await output.write(rest);
      rest = [];
    } catch (error) {
      const part = error as PartlyWritten;
      ok(part.written + part.refused > 0, part.message);
      refused += part.refused;
      rest = rest.slice(part.written + part.refused);
    }
  }
  return refused;
}

Deno.test("otlp: alerts that a server refuses are lost alone, wherever they stand", async () => {
  const bad = new Set([texts(0, 300)[17]!, texts(0, 300)[18]!, texts(0, 300)[299]!]);
  const server = outputTo((all) => all.some((text) => bad.has(text)) ? NO : FINE);
  strictEqual(await writeAll(messages(0, 300), server), 3);
  const arrived = server.sent.filter((all) => !all.some((text) => bad.has(text))).flat();
  deepStrictEqual(arrived, texts(0, 300).filter((text) => !bad.has(text)));
  ok(server.sent.length < 60, String(server.sent.length));
});

Deno.test("otlp: a server that refuses everything is asked about once for each alert", async () => {
  const server = outputTo(() => NO);
  strictEqual(await writeAll(messages(0, 256), server), 256);
  strictEqual(server.sent.length, 256 + 8);
});

Deno.test("otlp: what is too large together goes in several requests", async () => {
  const server = outputTo(() => FINE);
  const large = messages(0, 5).map((one) => ({ ...one, text: "x".repeat(700_000) }));
  await server.output.write([...large, ...messages(0, 2)]);
  deepStrictEqual(server.sent.map(({ length }) => length), [1, 1, 1, 1, 3]);
});

Deno.test("otlp: more than were sent cannot be rejected", async () => {
  const server = outputTo(() => taken({ rejected: 1e9, why: "all\nof them \x1b[31m" }));
  await rejects(server.output.write(messages(0, 2)), (error: PartlyWritten) => {
    deepStrictEqual([error.written, error.refused], [0, 2]);
    strictEqual(error.message, "the server rejects 2 of 2: all");
    return true;
  });
});

Deno.test("otlp: a request that is not answered is given up, and closing ends one", async () => {
  const signals: AbortSignal[] = [];
  const output = otlpOutput({
    open: () =>
      Promise.resolve({
        send: (_all: readonly Message[], signal: AbortSignal) =>
          new Promise<OtlpAnswer>((_, reject) => {
            signals.push(signal);
            signal.addEventListener("abort", () => reject(new Error("aborted")));
          }),
        close() {},
      }),
    timeoutMs: 1,
  });
  await rejects(output.write(messages(0, 1)), /no answer within 1 ms/);
  const patient = otlpOutput({
    open: () =>
      Promise.resolve({
        send: (_all: readonly Message[], signal: AbortSignal) =>
          new Promise<OtlpAnswer>((_, reject) =>
            signal.addEventListener("abort", () => reject(new Error("aborted")))
          ),
        close() {},
      }),
    timeoutMs: 600_000,
  });
  const writing = patient.write(messages(0, 1));
  patient.close();
  await rejects(writing, (error: PartlyWritten) => error.written === 0);
  strictEqual(signals.length, 1);
});

Deno.test("otlp: answers decide, and nothing is lost by who we are", () => {
  const fates = (of: (status: number) => string, statuses: readonly number[]) =>
    new Set(statuses.map(of));
  deepStrictEqual(fates(fateOfHttp, [200, 202, 204]), new Set(["taken"]));
  const again = [301, 401, 403, 404, 408, 429, 502, 503, 504];
  deepStrictEqual(fates(fateOfHttp, again), new Set(["again"]));
  deepStrictEqual(fates(fateOfHttp, [400, 405, 413, 415, 422, 500, 501]), new Set(["refused"]));
  const plain = (code: number) => fateOfGrpc(code, false);
  deepStrictEqual(fates(plain, [1, 4, 7, 10, 11, 12, 14, 15, 16]), new Set(["again"]));
  deepStrictEqual(fates(plain, [2, 3, 5, 6, 8, 9, 13, 99]), new Set(["refused"]));
  strictEqual(fateOfGrpc(8, true), "again");
});

Deno.test("otlp: a server's own words are told, whatever they stand in", async () => {
  const says = async (body: string | Uint8Array<ArrayBuffer>, json: boolean) => {
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    const poster = {
      post: () => Promise.resolve({ status: 400, retryAfter: undefined, body: bytes }),
      close() {},
    };
    const headers = () => ({});
    const way = otlpHttp({ poster, about: ABOUT, json, gzip: false, headers, now: () => 0 });
    return (await way.send(messages(0, 1), new AbortController().signal)).why;
  };
  const status = new Uint8Array([0x08, 3, 0x12, 3, ...new TextEncoder().encode("bad")]);
  for (const json of [false, true]) {
    strictEqual(await says("no JSON here\nat all\n", json), "the server answers 400: no JSON here");
    strictEqual(await says('{"message":"bad"}', json), "the server answers 400: bad");
    for (const body of ["", "<html><body>", "[]", "{}", new Uint8Array([0, 1, 0xff])]) {
      strictEqual(await says(body, json), "the server answers 400");
    }
  }
  strictEqual(await says(status, false), "the server answers 400: bad");
});

Deno.test("otlp: whatever a server answers is read without an error", () => {
  let seed = 1;
  const byte = () => (seed = seed * 48_271 % 2_147_483_647) & 0xff;
  const whole = encodeRequest(requestOf([message([["a", 1]])], ABOUT, 0));
  for (let round = 0; round < 2_000; round++) {
    const bytes = round % 2 === 0
      ? Uint8Array.from({ length: byte() }, byte)
      : whole.map((one) => byte() < 8 ? byte() : one).slice(0, byte() * 4);
    ok(Number.isFinite(decodePartialSuccess(bytes).rejected));
    strictEqual(typeof decodeStatus(bytes).message, "string");
    const text = new TextDecoder().decode(bytes);
    strictEqual(partialSuccessIn(text).rejected, 0);
    strictEqual(statusMessageIn(text), "");
  }
  for (const text of ["null", "1", "[]", '{"partialSuccess":null}', '{"partialSuccess":1}']) {
    deepStrictEqual(partialSuccessIn(text), { rejected: 0, why: "" });
  }
  const odd = '{"partialSuccess":{"rejectedLogRecords":"many","errorMessage":["x"]}}';
  deepStrictEqual(partialSuccessIn(odd), { rejected: 0, why: "x" });
});
