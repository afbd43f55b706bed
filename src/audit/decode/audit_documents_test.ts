// What in a document is an audit event.
import { deepStrictEqual, match, strictEqual } from "node:assert";
import { AuditDocuments } from "./audit_documents.ts";
import { textOf } from "./json_value.ts";

const STAMP = '"stageTimestamp":"2026-11-25T21:28:58.5Z"';
const EVENT = `{"kind":"Event",${STAMP}}`;

function documentsOf(...texts: readonly string[]): AuditDocuments {
  const documents = new AuditDocuments();
  const bytes = new TextEncoder().encode(texts.join("\n"));
  documents.begin(bytes);
  let from = 0;
  for (const text of texts) {
    const { length } = new TextEncoder().encode(text);
    documents.read(from, from + length);
    from += length + 1;
  }
  return documents;
}

function found(text: string): { events: number; malformed: number; reason: string | undefined } {
  const { events, malformed, reason } = documentsOf(text);
  return { events: events.length, malformed, reason };
}

Deno.test("an event, a list of events and an array of both are found", () => {
  const list = `{"kind":"EventList","items":[{${STAMP}},${EVENT}]}`;
  strictEqual(found(EVENT).events, 1);
  strictEqual(found(list).events, 2);
  strictEqual(found(`[${EVENT},[${list}]]`).events, 3);
  deepStrictEqual(found("[]"), { events: 0, malformed: 0, reason: undefined });
  deepStrictEqual(documentsOf(EVENT).events, [{
    entry: 0,
    spaced: false,
    seconds: 1_795_642_138,
    nanoseconds: 500_000_000,
  }]);
});

Deno.test("items that are no events are left out one by one", () => {
  const { events, malformed, reason } = found(
    `{"kind":"EventList","items":[1,{"kind":"Event"},{"stageTimestamp":"soon"},${EVENT}]}`,
  );
  deepStrictEqual([events, malformed], [1, 3]);
  match(reason!, /stageTimestamp/);
});

Deno.test("what is nothing known gives nothing, a whole array neither", () => {
  for (
    const text of [
      "1",
      '"Event"',
      "{}",
      '{"kind":1}',
      '{"kind":"Pod"}',
      '{"kind":"EventList"}',
      '{"kind":"EventList","items":[]}',
      '{"kind":"EventList","items":{}}',
      `[${EVENT},{}]`,
    ]
  ) {
    const { events, malformed, reason } = found(text);
    deepStrictEqual([events, malformed], [0, 1], text);
    match(reason!, /no audit event/);
  }
  match(found("{").reason!, /no JSON/);
});

Deno.test("documents lie behind each other, and what is none leaves no trace", () => {
  const { events, tape } = documentsOf(EVENT, `[${EVENT},{}]`, "[1,", `{ "kind":"Event",${STAMP}}`);
  deepStrictEqual(events.map(({ spaced }) => spaced), [false, true]);
  for (const { entry } of events) strictEqual(textOf(tape, tape.get(entry, "kind")), "Event");
});
