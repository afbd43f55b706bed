// What in a document is an audit event.
import { deepStrictEqual, match, strictEqual } from "node:assert";
import { AuditDocument } from "./audit_documents.ts";

const STAMP = '"stageTimestamp":"2026-11-25T21:28:58.5Z"';
const EVENT = `{"kind":"Event",${STAMP}}`;

function encoded(text: string): [Uint8Array, number, number] {
  const bytes = new TextEncoder().encode(text);
  return [bytes, 0, bytes.length];
}

function found(text: string): { events: number; malformed: number; reason: string | undefined } {
  const document = new AuditDocument();
  document.read(...encoded(text));
  const { events, malformed, reason } = document;
  return { events: events.length, malformed, reason };
}

Deno.test("an event, a list of events and an array of both are found", () => {
  const list = `{"kind":"EventList","items":[{${STAMP}},${EVENT}]}`;
  strictEqual(found(EVENT).events, 1);
  strictEqual(found(list).events, 2);
  strictEqual(found(`[${EVENT},[${list}]]`).events, 3);
  deepStrictEqual(found("[]"), { events: 0, malformed: 0, reason: undefined });
  const document = new AuditDocument();
  document.read(...encoded(EVENT));
  deepStrictEqual(document.events, [{
    entry: 0,
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
