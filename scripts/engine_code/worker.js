// The engine's thread as the executable has it: one script, with the code that V8 made of it when
// the executable was built. So a start parses and compiles little, which was a fifth of its cost.
import { createRequire } from "node:module";
import { Script } from "node:vm";
import { part } from "./part.js";

const script = new Script(new TextDecoder().decode(part("engine.text")), {
  filename: "saker/engine.js",
  cachedData: part("engine.code"),
});
if (script.cachedDataRejected) {
  // The executable's own runtime made it, so it is damaged, or that was replaced.
  const line = "Warning: the engine's code is of another runtime: each start compiles it " +
    "anew, which takes some 70 ms; install saker again";
  globalThis.postMessage({ kind: "notice", line, level: "warning" });
}
script.runInThisContext()(createRequire(import.meta.url), import.meta.url);
