// The contract of all that events come from (src/events/source.ts), held by the capture source, by
// that of audit events, and by the live one, where this host has a driver for it.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { AuditSource } from "../src/audit/read/audit_source.ts";
import { AuditFileInput } from "../src/audit/read/file_input.ts";
import { BlockWalk, Step } from "../src/events/blocks.ts";
import { Event } from "../src/events/event.ts";
import { LiveSource } from "../src/events/live_source.ts";
import { type EventSource, NEW_SNAPSHOT } from "../src/events/source.ts";
import { codeOf } from "../src/events/table.ts";
import { CaptureSource } from "../src/events/scap/capture.ts";
import { loadAddon } from "../src/engine/host/addon.ts";
import { carriedFile } from "../src/engine/host/carried.ts";
import { writeCapture } from "./capture_file.ts";
import { PATIENCE_MS } from "./patience.ts";

const OPENAT = codeOf("SYSCALL_OPENAT_2_X");
const PLUGIN_EVENT = codeOf("PLUGINEVENT_E");
const MARK = `/tmp/saker-contract-${crypto.randomUUID()}`;
const EVENTS = 40;

/** A way to a source that gives, sooner or later, EVENTS opens of the mark, or as many events of
 * its own that name it. */
interface Way {
  readonly name: string;
  readonly source: "syscall" | "k8s_audit";
  readonly isEndless: boolean;
  readonly open: () => { readonly source: EventSource; readonly act: () => void };
}

const WAYS: readonly (Way | undefined)[] = [
  {
    name: "CaptureSource",
    source: "syscall",
    isEndless: false,
    open() {
      const file = Deno.makeTempFileSync({ suffix: ".scap" });
      writeCapture(file, Array.from({ length: EVENTS }, (_, at) => ({ path: `${MARK}/${at}` })));
      const source = new CaptureSource([file]);
      Deno.removeSync(file);
      return { source, act() {} };
    },
  },
  {
    name: "AuditSource",
    source: "k8s_audit",
    isEndless: false,
    open() {
      const file = Deno.makeTempFileSync({ suffix: ".jsonl" });
      const lines = Array.from(
        { length: EVENTS },
        (_, at) =>
          `{"kind":"Event","auditID":"${MARK}/${at}","stageTimestamp":"2026-01-02T03:04:05.${
            100 + at
          }Z"}\n`,
      );
      Deno.writeTextFileSync(file, lines.join(""));
      const input = new AuditFileInput([file]);
      const source = new AuditSource(input, { eventBytesMax: 1 << 16, onMalformed() {} });
      return { source, act: () => {} };
    },
  },
  isLivePossible()
    ? {
      name: "LiveSource",
      source: "syscall",
      isEndless: true,
      open() {
        const addon = loadAddon();
        const driver = addon.Driver.open(carriedFile("probe.o"), {
          interest: Uint16Array.of(OPENAT),
          criticalRingBytes: 1 << 20,
          bulkRingBytes: 1 << 20,
          snaplen: 80,
          dropFailed: false,
          // Nobody's: what this process does is to be seen.
          selfPid: 0x3fff_ffff,
        });
        const takeSnapshot = () => addon.snapshot("", Deno.pid);
        const script =
          `i=0; while [ $i -lt ${EVENTS} ]; do true 2>/dev/null < ${MARK}/$i; i=$((i+1)); ` +
          "done";
        return {
          source: new LiveSource({ name: "modern_ebpf", driver, takeSnapshot, hostRoot: "" }),
          act: () => new Deno.Command("sh", { args: ["-c", script], stderr: "null" }).outputSync(),
        };
      },
    }
    : undefined,
];

function isLivePossible(): boolean {
  try {
    carriedFile("probe.o");
    return Deno.uid() === 0;
  } catch {
    return false;
  }
}

/** Reads until the opens of the mark are there; their names, and all events' times. */
function readAll(source: EventSource): { names: string[]; times: bigint[]; events: number } {
  const event = new Event();
  const walk = new BlockWalk(event);
  const buffer = new Uint8Array(64 << 10);
  const names: string[] = [];
  const times: bigint[] = [];
  let events = 0;
  const untilMs = performance.now() + PATIENCE_MS;
  while (names.length < EVENTS && performance.now() < untilMs) {
    const got = source.read(buffer);
    if (got === -1) break;
    if (got === 0) source.wait(20, new Uint32Array(1));
    if (got === NEW_SNAPSHOT) source.snapshot();
    if (got <= 0) continue;
    ok(got <= buffer.length);
    walk.begin(buffer, got);
    let behind = 0;
    for (let step = walk.next(); step !== Step.End; step = walk.next()) {
      strictEqual(step, Step.Event, "whole blocks of sound events");
      behind = event.end;
      events++;
      if (event.code === PLUGIN_EVENT) {
        const data = new TextDecoder().decode(event.bytes.subarray(event.param(1), event.end));
        names.push(JSON.parse(data).auditID);
        times.push(event.time());
      }
      if (event.code !== OPENAT) continue;
      const name = new TextDecoder().decode(event.bytes.subarray(event.param(2), event.textEnd(2)));
      if (!name.startsWith(MARK)) continue;
      names.push(name);
      // Those of others, on another processor, may differ by the width of a program.
      times.push(event.time());
    }
    ok(got - behind < 16, "the blocks fill what was said to be filled");
  }
  return { names, times, events };
}

for (const way of WAYS) {
  if (way === undefined) continue;
  Deno.test(`${way.name} keeps the contract of all sources`, () => {
    const { source, act } = way.open();
    try {
      strictEqual(source.source, way.source);
      ok(source.name !== "");
      const state = source.snapshot();
      const walk = new BlockWalk(new Event());
      walk.begin(state, state.length);
      let blocks = 0;
      for (let step = walk.next(); step !== Step.End; step = walk.next()) {
        ok(step !== Step.Malformed, "the state is whole blocks");
        blocks++;
      }
      ok(blocks > 0 || way.source !== "syscall", "the state begins with the machine");
      source.setInterest(new Set([OPENAT]));
      act();
      const { names, times, events } = readAll(source);
      deepStrictEqual(names, Array.from({ length: EVENTS }, (_, at) => `${MARK}/${at}`));
      ok(times.every((time, at) => at === 0 || time >= times[at - 1]!), "in order of time");
      const stats = source.stats();
      ok(stats.events >= events, `${stats.events} of ${events} events are counted`);
      deepStrictEqual(stats.lost.length, 2);
      if (way.isEndless) ok(stats.programs > 0, "a driver has programs");
      else {
        strictEqual(stats.programs, 0);
        strictEqual(source.read(new Uint8Array(4096)), -1, "and then it has ended");
        strictEqual(source.read(new Uint8Array(4096)), -1, "and stays so");
      }
    } finally {
      source.close();
    }
  });
}
