// Clients that follow the alerts: what each gets, where it resumes, and that a slow one loses its
// own alerts alone and is told of it.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { alertId } from "../../alerts/format/format.ts";
import { JSON_FORMAT } from "../../alerts/format/format_fixture.ts";
import { numberedAlert as alert } from "./alert_fixture.ts";
import type { Dossier } from "../../engine/contract/dossier.ts";
import { type AlertFilter, alertFilter } from "./alert_filter.ts";
import { AlertRing } from "./alert_ring.ts";
import { AlertStream, type StreamOptions } from "./alert_stream.ts";

function stream(more: Partial<StreamOptions> = {}): AlertStream {
  return new AlertStream({ format: JSON_FORMAT, ...more });
}

function filter(query = ""): AlertFilter {
  const made = alertFilter(new URLSearchParams(query));
  if ("error" in made) throw new Error(made.error);
  return made;
}

interface Told {
  readonly event: string;
  readonly id: string | undefined;
  // deno-lint-ignore no-explicit-any -- What a client reads is JSON of any shape.
  readonly data: any;
}

/** Ends the stream's clients after what waits, and returns what this one was sent. */
async function read(body: ReadableStream<Uint8Array>): Promise<string> {
  const reader = body.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return new TextDecoder().decode(value);
}

async function events(body: ReadableStream<Uint8Array>): Promise<Told[]> {
  const blocks = (await read(body)).split("\n\n").filter((block) => block.includes("data: "));
  return blocks.map((block) => {
    const of = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1];
    return { event: of("event") ?? "message", id: of("id"), data: JSON.parse(of("data")!) };
  });
}

Deno.test("a client gets the alerts from its coming on, each with its id", async () => {
  const all = stream();
  all.take([alert(1)]);
  const body = all.open(filter())!;
  all.take([alert(2), alert(3)]);
  const told = await events(body);
  deepStrictEqual(told.map(({ data }) => data.seq), [2, 3]);
  deepStrictEqual(told.map(({ id }) => id), [alertId(alert(2)), alertId(alert(3))]);
  deepStrictEqual(told.map(({ data }) => data.id), told.map(({ id }) => id));
});

Deno.test("a client gets what it asked for alone", async () => {
  const all = [
    alert(1, { priority: 2 }),
    alert(2, { rule: "other" }),
    alert(3, { source: "internal" }),
    alert(4, { priority: 5 }),
  ];
  const cases: [string, number[]][] = [
    ["priority=warning", [1, 2, 3]],
    ["priority=CRITICAL", [1]],
    ["rule=other", [2]],
    ["rule=other&rule=r", [1, 2, 3, 4]],
    ["source=internal", [3]],
    ["source=syscall&priority=notice&rule=r", [1, 4]],
    ["rule=none", []],
  ];
  for (const [query, wanted] of cases) {
    const one = stream();
    const body = one.open(filter(query))!;
    one.take(all);
    deepStrictEqual((await events(body)).map(({ data }) => data.seq), wanted, query);
  }
});

Deno.test("a client resumes behind the alert that it had last, by id or number", async () => {
  const all = stream();
  all.take([1, 2, 3, 4].map((sequence) => alert(sequence)));
  for (const after of [alertId(alert(2)), "2"]) {
    const body = all.open({ ...filter(), after })!;
    all.take([]);
    const told = await events(body);
    deepStrictEqual(told.map(({ event, data }) => [event, data.seq]), [["message", 3], [
      "message",
      4,
    ]]);
  }
});

Deno.test("what is not held any more is told as a gap before what is", async () => {
  const all = stream({ ring: { alerts: 2, chars: 1e6 } });
  all.take([1, 2, 3, 4].map((sequence) => alert(sequence)));
  const told = await events(all.open({ ...filter(), after: alertId(alert(1)) })!);
  deepStrictEqual(told.map(({ event }) => event), ["gap", "message", "message"]);
  strictEqual(told[0]!.data.after, alertId(alert(1)));
  deepStrictEqual(told.slice(1).map(({ data }) => data.seq), [3, 4]);
});

Deno.test("a slow client loses alerts of its own, and is told how many and where", async () => {
  const all = stream({ client: { events: 3, chars: 1e6 } });
  const slow = all.open(filter())!;
  const quick = all.open(filter("rule=rare"))!;
  all.take([1, 2, 3, 4, 5].map((sequence) => alert(sequence)));
  all.take([alert(6, { rule: "rare" })]);
  deepStrictEqual((await events(quick)).map(({ data }) => data.seq), [6]);
  const reader = slow.getReader();
  const decoder = new TextDecoder();
  const first = decoder.decode((await reader.read()).value);
  // The first event is the time to come back, so two alerts found room.
  ok(first.includes('"seq":2') && !first.includes('"seq":3'), first);
  all.take([alert(7)]);
  const second = decoder.decode((await reader.read()).value);
  ok(/^event: gap\ndata: \{"missed":4,[^]*"seq":7/.test(second), second);
  const { dropped, sent } = all.stats();
  deepStrictEqual([dropped, sent], [4, 4]);
  await reader.cancel();
  strictEqual(all.stats().dropped, 4);
});

Deno.test("a silent stream is given a sign of life, a busy one is not", async () => {
  const all = stream();
  const body = all.open(filter())!;
  const reader = body.getReader();
  await reader.read();
  const next = reader.read();
  await Promise.resolve();
  all.beat();
  strictEqual(new TextDecoder().decode((await next).value), ": \n\n");
  all.take([alert(1)]);
  all.beat();
  ok(!new TextDecoder().decode((await reader.read()).value).includes(": \n\n:"));
  await reader.cancel();
});

Deno.test("streams end when the server closes", async () => {
  const all = stream();
  const reader = all.open(filter())!.getReader();
  await reader.read();
  const next = reader.read();
  all.close();
  strictEqual((await next).done, true);
  strictEqual(all.stats().clients, 0);
});

Deno.test("a flood of one rule pushes out its own alerts, not those of others", async () => {
  const all = stream({ ring: { alerts: 8 } });
  all.take([1, 2, 3].map((sequence) => alert(sequence, { rule: "rare" })));
  const flood = Array.from({ length: 1_000 }, (_, at) => alert(at + 4, { rule: "flood" }));
  all.take(flood.slice(0, 500));
  all.take([alert(2_000, { rule: "other" })]);
  all.take(flood.slice(500));
  const held = Array.from({ length: all.held.size }, (_, at) => all.held.at(at).alert.sequence);
  deepStrictEqual(held, [1, 2, 3, 2_000, 1_000, 1_001, 1_002, 1_003]);
  const told = await events(all.open({ ...filter(), after: alertId(alert(3)) })!);
  deepStrictEqual(told.map(({ event, data }) => [event, data.missed ?? data.seq]), [
    ["gap", 996],
    ["message", 2_000],
    ["message", 1_000],
    ["message", 1_001],
    ["message", 1_002],
    ["message", 1_003],
  ]);
  strictEqual(all.stats().given_way, 996);
});

Deno.test("dossiers of a flood give way before those of other rules", () => {
  const record = { text: "", condition: "", output: "", parts: [], operands: [] };
  const dossier = { record, moment: "x".repeat(100) } as unknown as Dossier;
  const ring = new AlertRing({ dossierChars: 640 });
  ring.push(alert(1, { rule: "rare", dossier }));
  for (let sequence = 2; sequence <= 50; sequence++) ring.push(alert(sequence, { dossier }));
  ok(ring.at(0).dossier === dossier);
  strictEqual(ring.at(1).dossier, "gone");
  ok(ring.at(49).dossier === dossier);
  deepStrictEqual([ring.stats().dossiers, ring.stats().dossiersGivenWay], [6, 44]);
  // What they are about counts as well, once.
  const about = { record: { ...record, text: "y".repeat(500) }, moment: "z".repeat(20) };
  const wide = new AlertRing();
  for (let sequence = 1; sequence <= 5; sequence++) {
    wide.push(alert(sequence, { dossier: about as unknown as Dossier }));
  }
  strictEqual(wide.stats().dossierChars, 5 * 20 + 500);
  const narrow = new AlertRing({ alerts: 2 });
  for (let sequence = 1; sequence <= 5; sequence++) {
    narrow.push(alert(sequence, sequence < 4 ? { dossier: about as unknown as Dossier } : {}));
  }
  strictEqual(narrow.stats().dossierChars, 0);
});

Deno.test("the ring holds by number and by length, the newest always", () => {
  const ring = new AlertRing({ alerts: 3, chars: 10 });
  for (let sequence = 1; sequence <= 5; sequence++) ring.push(alert(sequence));
  deepStrictEqual(ring.after("3").alerts.map(({ sequence }) => sequence), [4, 5]);
  strictEqual(ring.after("2").complete, false);
  ring.push(alert(6, { message: "long enough" }));
  strictEqual(ring.size, 1);
  ring.push(alert(7));
  deepStrictEqual(ring.after("x").alerts.map(({ sequence }) => sequence), [7]);
});
