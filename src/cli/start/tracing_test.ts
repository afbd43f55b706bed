import { equal } from "node:assert/strict";
import { COMMAND_STARTS, Counter, Counters } from "../../engine/contract/counters.ts";
import { tracing } from "./tracing.ts";

Deno.test("a signal that comes while the command is started reaches it", async () => {
  const counters = new Counters();
  const taken = tracing({ command: [] });
  equal(taken.taken(counters, "SIGTERM"), false, "nothing is started yet: it ends the watch");
  counters.set(Counter.CommandPid, COMMAND_STARTS);
  const child = new Deno.Command("sleep", { args: ["60"] }).spawn();
  equal(taken.taken(counters, "SIGINT"), true);
  equal(taken.taken(counters, "SIGTERM"), true);
  counters.set(Counter.CommandPid, child.pid);
  equal((await child.status).signal, "SIGTERM");
  equal(taken.taken(counters, "SIGTERM"), false, "who asks again means the watch");
});

Deno.test("Ctrl-C is the command's behind a SIGTERM too", async () => {
  const counters = new Counters();
  const taken = tracing({ command: [] });
  const child = new Deno.Command("sleep", { args: ["60"] }).spawn();
  counters.set(Counter.CommandPid, child.pid);
  equal(taken.taken(counters, "SIGTERM"), true);
  equal(taken.taken(counters, "SIGINT"), true);
  equal((await child.status).signal, "SIGTERM");
});
