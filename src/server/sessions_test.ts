// Sessions of browsers: how many, how long, and what they were opened with.
import { deepStrictEqual, notStrictEqual, ok, strictEqual } from "node:assert";
import { LINK_MS, SESSION_IDLE_MS, Sessions, SESSIONS_MAX } from "./sessions.ts";

const TOKEN = "a-token-of-twenty-characters";

function sessionsAt() {
  const clock = { ms: 1_000 };
  return { clock, sessions: new Sessions(() => clock.ms) };
}

Deno.test("a session is found by its name alone, and has a secret of its own", () => {
  const { sessions } = sessionsAt();
  const [one, other] = [sessions.open(TOKEN), sessions.open(TOKEN)];
  notStrictEqual(one, other);
  ok(/^[\w-]{43}$/.test(one), one);
  const { csrf } = sessions.find(one, TOKEN)!;
  notStrictEqual(csrf, one);
  notStrictEqual(csrf, sessions.find(other, TOKEN)!.csrf);
  strictEqual(sessions.find("", TOKEN), undefined);
  strictEqual(sessions.find(undefined, TOKEN), undefined);
  strictEqual(sessions.find(`${one}x`, TOKEN), undefined);
});

Deno.test("a session ends with the token that it was opened with", () => {
  const { sessions } = sessionsAt();
  const name = sessions.open(TOKEN);
  strictEqual(sessions.find(name, "another-token-of-more-characters"), undefined);
  strictEqual(sessions.find(name, TOKEN), undefined, "it came back");
  const without = sessions.open(undefined);
  strictEqual(sessions.find(without, TOKEN), undefined);
});

Deno.test("a session that nobody uses is over, one that is used goes on", () => {
  const { sessions, clock } = sessionsAt();
  const [used, left] = [sessions.open(TOKEN), sessions.open(TOKEN)];
  clock.ms += SESSION_IDLE_MS;
  ok(sessions.find(used, TOKEN));
  clock.ms += 1;
  ok(sessions.find(used, TOKEN));
  strictEqual(sessions.find(left, TOKEN), undefined);
  deepStrictEqual(sessions.stats(), { open: 1, opened: 2, displaced: 0, expired: 1 });
});

Deno.test("of too many sessions the one that was used longest ago gives way", () => {
  const { sessions } = sessionsAt();
  const names = Array.from({ length: SESSIONS_MAX }, () => sessions.open(TOKEN));
  ok(sessions.find(names[0], TOKEN));
  sessions.open(TOKEN);
  ok(sessions.find(names[0], TOKEN));
  strictEqual(sessions.find(names[1], TOKEN), undefined);
  const { open, displaced } = sessions.stats();
  deepStrictEqual([open, displaced], [SESSIONS_MAX, 1]);
});

Deno.test("a session that was ended is not found", () => {
  const { sessions } = sessionsAt();
  const name = sessions.open(TOKEN);
  sessions.end(name);
  strictEqual(sessions.find(name, TOKEN), undefined);
});

Deno.test("a link opens once, within its time, and only the newest eight do", () => {
  const { sessions, clock } = sessionsAt();
  const code = sessions.makeLink();
  clock.ms += LINK_MS;
  ok(sessions.takeLink(code));
  ok(!sessions.takeLink(code), "it opened twice");
  const late = sessions.makeLink();
  clock.ms += LINK_MS + 1;
  ok(!sessions.takeLink(late), "it opened too late");
  ok(!sessions.takeLink(""));
  const codes = Array.from({ length: 9 }, () => sessions.makeLink());
  deepStrictEqual(codes.map((one) => sessions.takeLink(one)), [false, ...Array(8).fill(true)]);
});
