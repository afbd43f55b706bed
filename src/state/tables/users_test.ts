// Users and groups: how much of them is kept, and that what goes makes room.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { Users } from "./users.ts";

const LONG = "x".repeat(1 << 20);

function userOf(uid: number, name: string) {
  return { uid, gid: 1, name, homedir: "", shell: "" };
}

Deno.test("users and groups are bounded by what they take, of all containers together", () => {
  const users = new Users();
  for (let at = 0; at < 40; at++) {
    users.addUser(`c${at % 4}`, userOf(at, `u${at}${LONG}`));
    users.addGroup(`c${at % 4}`, { gid: at, name: `g${at}${LONG}` });
  }
  const kept = [...users.users(), ...users.groups()].length;
  ok(kept > 10 && kept < 40, `${kept} are kept`);
  strictEqual(users.refused, 80 - kept);
  strictEqual(users.user("c0", 0)?.name.slice(0, 2), "u0");
});

Deno.test("what is removed or told anew makes room", () => {
  const users = new Users();
  for (let round = 0; round < 100; round++) users.addUser("", userOf(7, `${round}${LONG}`));
  for (let round = 0; round < 100; round++) {
    users.addUser("a", userOf(round, LONG));
    users.removeUser("a", round);
    users.addGroup("a", { gid: round, name: LONG });
    users.removeGroup("a", round);
    users.addUser("b", userOf(round, LONG));
    users.removeContainer("b");
  }
  deepStrictEqual([users.refused, [...users.users()].length], [0, 1]);
  users.clear();
  for (let at = 0; at < 8; at++) users.addUser("", userOf(at, LONG));
  strictEqual(users.refused, 0);
});

Deno.test("users and groups of all containers are counted together", () => {
  const users = new Users();
  strictEqual(users.size, 0);
  users.addUser("", userOf(1, "a"));
  users.addUser("c", userOf(1, "b"));
  users.addGroup("c", { gid: 1, name: "g" });
  strictEqual(users.size, 3);
  users.removeUser("c", 1);
  strictEqual(users.size, 2);
});
