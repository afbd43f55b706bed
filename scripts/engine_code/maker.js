// Stands for worker.js in a program that is only built to make the code: when its replay has ended,
// what V8 compiled for it is written to where SAKER_ENGINE_CODE says.
import { createRequire } from "node:module";
import { Script } from "node:vm";
import { part } from "./part.js";

const text = new TextDecoder().decode(part("engine.text"));
const script = new Script(text, { filename: "saker/engine.js" });
const post = globalThis.postMessage.bind(globalThis);
globalThis.postMessage = (message, ...options) => {
  if (message.kind === "ended") {
    Deno.writeFileSync(Deno.env.get("SAKER_ENGINE_CODE"), script.createCachedData());
  }
  post(message, ...options);
};
script.runInThisContext()(createRequire(import.meta.url), import.meta.url);
