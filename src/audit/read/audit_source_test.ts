// Audit logs as an event source: lines and documents in, events in order out, the rest counted.
import { deepStrictEqual, strictEqual } from "node:assert";
import { gzipSync } from "node:zlib";
import { BlockWalk, Step } from "../../events/blocks.ts";
import { Event } from "../../events/event.ts";
import { AuditFileInput, LINE_BYTES_MAX } from "./file_input.ts";
import type { AuditInput, JudgedChunk } from "./audit_input.ts";
import { AuditSource } from "./audit_source.ts";

const EVENT_BYTES_MAX = 262_144;

function line(name: string, more = ""): string {
  return `{"kind":"Event","auditID":"${name}","stageTimestamp":"2026-11-25T21:28:58.5Z"${more}}`;
}

interface Got {
  readonly ids: string[];
  readonly times: bigint[];
  readonly data: string[];
  readonly malformed: number;
  readonly reasons: string[];
}

function readAll(input: AuditInput, buffer = new Uint8Array(1 << 20)): Got {
  const reasons: string[] = [];
  const source = new AuditSource(input, {
    eventBytesMax: EVENT_BYTES_MAX,
    onMalformed: (reason) => reasons.push(reason),
  });
  const event = new Event();
  const walk = new BlockWalk(event);
  const [times, data]: [bigint[], string[]] = [[], []];
  for (let bytes = source.read(buffer); bytes >= 0; bytes = source.read(buffer)) {
    walk.begin(buffer, bytes);
    for (let step = walk.next(); step !== Step.End; step = walk.next()) {
      strictEqual(step, Step.Event);
      times.push(event.time());
      data.push(new TextDecoder().decode(event.bytes.subarray(event.param(1), event.end)));
    }
  }
  source.close();
  const ids = data.map((json) => /"auditID":"([^"]*)"/.exec(json)?.[1] ?? "");
  return { ids, times, data, malformed: source.malformed, reasons };
}

function ofFile(content: string | Uint8Array): Got {
  const file = Deno.makeTempFileSync();
  try {
    if (typeof content === "string") Deno.writeTextFileSync(file, content);
    else Deno.writeFileSync(file, content);
    return readAll(new AuditFileInput([file]));
  } finally {
    Deno.removeSync(file);
  }
}

Deno.test("an audit log gives its events in order, whatever its lines end with", () => {
  const text =
    `${line("a")}\n\r\n\n  ${line("b")} \r\n{"kind":"EventList","items":[${line("c")}, ` +
    `${line("d")}]}\n${line("e")}`;
  const { ids, times, malformed } = ofFile(text);
  deepStrictEqual(ids, ["a", "b", "c", "d", "e"]);
  deepStrictEqual(times[0], 1_795_642_138_500_000_000n);
  strictEqual(malformed, 0);
  deepStrictEqual(ofFile(gzipSync(text)).ids, ids);
});

Deno.test("an event's data is its JSON without blanks, and otherwise as it was", () => {
  const { data } = ofFile(`{ "kind": "Event", ${line("é", ',"x":1.0,"y":"\\u00e9"').slice(1)}\n`);
  strictEqual(data[0], `{"kind":"Event",${line("é", ',"x":1.0,"y":"\\u00e9"').slice(1)}`);
});

Deno.test("lines that are no audit events are told and passed over", () => {
  const { ids, malformed, reasons } = ofFile(`${line("a")}\n{\nnot\n${line("b")}\n{}\n   \n`);
  deepStrictEqual(ids, ["a", "b"]);
  strictEqual(malformed, 4);
  strictEqual(reasons.length, 4);
});

Deno.test("long lines are read, too long ones and too large events are left out", () => {
  const long = line("long", `,"x":"${"y".repeat(200_000)}"`);
  const large = line("large", `,"x":"${"y".repeat(EVENT_BYTES_MAX)}"`);
  const endless = "z".repeat(LINE_BYTES_MAX + (1 << 20));
  const { ids, malformed } = ofFile(
    `${line("a")}\n${long}\n${large}\n${endless}\n${line("b")}\n`,
  );
  deepStrictEqual(ids, ["a", "long", "b"]);
  strictEqual(malformed, 2);
});

Deno.test("an event has as many bytes as it may, and one more is too many", () => {
  const room = EVENT_BYTES_MAX - line("x", ',"p":""').length;
  const { ids } = ofFile(
    `${line("x", `,"p":"${"y".repeat(room)}"`)}\n${line("x", `,"p":"${"y".repeat(room + 1)}"`)}\n`,
  );
  deepStrictEqual(ids, ["x"]);
});

Deno.test("bytes that are no UTF-8, and NUL, stay in the event", () => {
  const bytes = new TextEncoder().encode(`${line("a", ',"x":"?\u0000"')}\n`);
  bytes[bytes.indexOf(0x3f)] = 0xff;
  const { ids, data } = ofFile(bytes);
  deepStrictEqual(ids, ["a"]);
  strictEqual(data[0], line("a", ',"x":"\ufffd\u0000"'));
});

Deno.test("a directory gives the lines of its files, the oldest first", () => {
  const directory = Deno.makeTempDirSync();
  try {
    Deno.mkdirSync(`${directory}/sub`);
    Deno.writeTextFileSync(`${directory}/sub/no`, line("no"));
    for (const [at, name] of ["z", "a", ".hidden"].entries()) {
      Deno.writeTextFileSync(`${directory}/${name}`, line(name));
      Deno.utimeSync(`${directory}/${name}`, 1000 + at, 1000 + at);
    }
    deepStrictEqual(readAll(new AuditFileInput([directory])).ids, ["z", "a", ".hidden"]);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("each chunk is answered once its events are judged", () => {
  const documents = [
    `[${line("a")},\n${line("b")}]`,
    `${line("c")}\n${line("d")}\n{`,
    `{\n"kind":`,
  ];
  const answers: JudgedChunk[] = [];
  const input: AuditInput = {
    name: "test",
    take() {
      const text = documents.shift();
      return text === undefined
        ? "ended"
        : { bytes: new TextEncoder().encode(text), isLines: false };
    },
    judged: (chunk) => answers.push(chunk),
    wait() {},
    close() {},
  };
  // Room for one event at a time.
  const { ids } = readAll(input, new Uint8Array(180));
  deepStrictEqual(ids, ["a", "b", "c", "d"]);
  deepStrictEqual(
    answers.map(({ events, malformed }) => [events, malformed]),
    [[2, 0], [2, 1], [0, 1]],
  );
});
