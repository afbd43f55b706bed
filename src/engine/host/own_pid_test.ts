import { strictEqual } from "node:assert";
import { ownPid } from "./own_pid.ts";

Deno.test("the own process's id is what the host's /proc says, where there is one", async () => {
  strictEqual(ownPid(""), Deno.pid);
  const root = await Deno.makeTempDir();
  try {
    strictEqual(ownPid(root), Deno.pid);
    await Deno.mkdir(`${root}/proc`);
    await Deno.symlink("4242", `${root}/proc/self`);
    strictEqual(ownPid(root), 4242);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
