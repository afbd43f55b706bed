// Alerts as lines: Falco's JSON key by key, the text line, and what hostile bytes become.
import { deepStrictEqual, strictEqual } from "node:assert";
import type { Alert } from "../../engine/contract/alert.ts";
import { formatAlert } from "./format.ts";
import { JSON_FORMAT } from "./format_fixture.ts";

const TIME = 1_700_000_000_000_000_042n;

function alert(changes: Partial<Alert> = {}): Alert {
  return {
    hostname: "host",
    message: "read by cat",
    outputFields: [["proc.name", "cat"], ["fd.name", undefined]],
    priority: 4,
    rule: "Read",
    source: "syscall",
    tags: ["a", "b"],
    time: TIME,
    sequence: 3,
    degraded: false,
    ...changes,
  };
}

/** The local clock's hour and minute differ by machine; what follows does not. */
function withoutClock(line: string): string {
  return line.replace(/\d\d:\d\d:20\.000000042/, "CLOCK");
}

Deno.test("an alert in JSON has Falco's keys and saker's, sorted, on one line", () => {
  strictEqual(
    withoutClock(formatAlert(alert(), JSON_FORMAT)),
    '{"degraded":false,"hostname":"host","id":"17979cfe362a002a-3",' +
      '"output":"CLOCK: Warning read by cat","output_fields":{"evt.time":1700000000000000042,' +
      '"fd.name":null,"proc.name":"cat"},"priority":"Warning","rule":"Read","seq":3,' +
      '"source":"syscall","tags":["a","b"],"time":"2023-11-14T22:13:20.000000042Z"}',
  );
});

Deno.test("properties that are switched off are left out, and the message comes on demand", () => {
  const line = formatAlert(alert(), {
    ...JSON_FORMAT,
    outputProperty: false,
    messageProperty: true,
    outputFieldsProperty: false,
    tagsProperty: false,
  });
  deepStrictEqual(Object.keys(JSON.parse(line)), [
    "degraded",
    "hostname",
    "id",
    "message",
    "priority",
    "rule",
    "seq",
    "source",
    "time",
  ]);
});

Deno.test("integers are written whole, lists as arrays, bytes as text", () => {
  const line = formatAlert(
    alert({
      outputFields: [
        ["big", 18_446_744_073_709_551_615n],
        ["list", ["x", 1, undefined, true]],
        ["bytes", Uint8Array.of(0x61, 0xff, 0x62)],
        ["ratio", 0.5],
      ],
    }),
    JSON_FORMAT,
  );
  const fields = /"output_fields":(\{.*?\})/.exec(line)![1];
  strictEqual(
    fields,
    '{"big":18446744073709551615,"bytes":"a\ufffdb","evt.time":1700000000000000042,' +
      '"list":["x",1,null,true],"ratio":0.5}',
  );
});

Deno.test("a field that stands twice in the output is one field", () => {
  const line = formatAlert(alert({ outputFields: [["a", 1], ["a", 1]] }), JSON_FORMAT);
  strictEqual(line.match(/"a":1/g)!.length, 1);
});

Deno.test("an empty list of tags is an empty array", () => {
  deepStrictEqual(JSON.parse(formatAlert(alert({ tags: [] }), JSON_FORMAT)).tags, []);
});

Deno.test("the ISO setting changes the output's time and the field's name", () => {
  const parsed = JSON.parse(formatAlert(alert(), { ...JSON_FORMAT, isoTime: true }));
  strictEqual(parsed.output, "2023-11-14T22:13:20.000000042+0000: Warning read by cat");
  strictEqual("evt.time.iso8601" in parsed.output_fields, true);
  strictEqual("evt.time" in parsed.output_fields, false);
});

Deno.test("a line of text has control characters escaped as in JSON", () => {
  const line = formatAlert(
    alert({ message: 'a\nb\u001b[31m "q" \\ \u009b \ud800' }),
    { ...JSON_FORMAT, json: false },
  );
  strictEqual(
    withoutClock(line),
    'CLOCK: Warning a\\nb\\u001b[31m \\"q\\" \\\\ \\u009b \ufffd',
  );
});

Deno.test("colour stands around the whole line and only where it is asked for", () => {
  const text = { ...JSON_FORMAT, json: false };
  const plain = formatAlert(alert(), text);
  strictEqual(formatAlert(alert(), { ...text, colour: true }), `\x1b[33m${plain}\x1b[0m`);
});

Deno.test("an internal alert has no tags and tells its fields in the text", () => {
  const internal = alert({
    tags: undefined,
    source: "internal",
    priority: 7,
    message: "lost",
    outputFields: [["n_evts", "5"], ["n_drops", "2"]],
  });
  const json = JSON.parse(formatAlert(internal, { ...JSON_FORMAT, outputFieldsProperty: false }));
  strictEqual(json.output, "lost");
  deepStrictEqual(json.output_fields, { n_drops: "2", n_evts: "5" });
  strictEqual("tags" in json, false);
  strictEqual(
    withoutClock(formatAlert(internal, { ...JSON_FORMAT, json: false, isoTime: true })),
    'CLOCK: Debug lost (n_drops=\\"2\\" n_evts=\\"5\\")',
  );
});

Deno.test("a time beyond all calendars still gives a line", () => {
  const parsed = JSON.parse(formatAlert(alert({ time: 2n ** 64n - 1n }), JSON_FORMAT));
  strictEqual(parsed.time, "2554-07-21T23:34:33.709551615Z");
});

Deno.test("marks of direction and separators of lines are escapes, in text and in JSON", () => {
  const marks = "\u202e\u2066\u2028\u2029\u061c\ufeff\u007f";
  const shown = "\\u202e\\u2066\\u2028\\u2029\\u061c\\ufeff\\u007f";
  const hostile = alert({
    message: `read ${marks}`,
    outputFields: [["fd.name", marks]],
    hostname: marks,
  });
  strictEqual(
    withoutClock(formatAlert(hostile, { ...JSON_FORMAT, json: false })),
    `CLOCK: Warning read ${shown}`,
  );
  const line = formatAlert(hostile, JSON_FORMAT);
  strictEqual(line.includes(`"hostname":"${shown}"`), true, line);
  deepStrictEqual([JSON.parse(line).hostname, JSON.parse(line).output_fields["fd.name"]], [
    marks,
    marks,
  ]);
});
