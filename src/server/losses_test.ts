// Losses that are told in /healthz: since when, how many, and until when.
import { strictEqual } from "node:assert";
import { Counter, Counters } from "../engine/contract/counters.ts";
import { Losses } from "./losses.ts";

const MINUTES_5 = 300_000;

function scene() {
  const counters = new Counters();
  const losses = new Losses(counters);
  /** Loses so many at a time, more than the threshold allows where `many`. */
  const lose = (atMs: number, events: number, many = true) => {
    counters.add(Counter.LostBulk, events);
    if (many) counters.add(Counter.DropsDetected, 1);
    losses.tick(atMs);
  };
  return { losses, lose };
}

Deno.test("what was lost before the first look, at the start, is told as any loss", () => {
  const { losses, lose } = scene();
  lose(1_000, 500_000);
  strictEqual(losses.trouble(4_000), "500000 events were lost, last 3 s ago");
});

Deno.test("losses are told for five minutes after the last of them, then forgotten", () => {
  const { losses, lose } = scene();
  lose(1_000, 10);
  lose(100_000, 5);
  strictEqual(losses.trouble(101_000), "15 events were lost, last 1 s ago");
  losses.tick(100_000 + MINUTES_5 - 1);
  strictEqual(losses.trouble(100_000 + MINUTES_5 - 1), "15 events were lost, last 300 s ago");
  losses.tick(100_000 + MINUTES_5);
  strictEqual(losses.trouble(100_000 + MINUTES_5), undefined);
  lose(500_000, 7);
  strictEqual(losses.trouble(500_000), "7 events were lost, last 0 s ago");
});

Deno.test("single losses below the threshold, and simulated ones, are not told", () => {
  const { losses, lose } = scene();
  lose(1_000, 3, false);
  strictEqual(losses.trouble(1_000), undefined);
  lose(2_000, 0);
  strictEqual(losses.trouble(2_000), undefined);
});
