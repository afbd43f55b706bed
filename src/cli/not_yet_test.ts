// What a configuration asks for in vain is told; what saker does by itself is not.
import { deepStrictEqual, throws } from "node:assert";
import { readConfig } from "../config/read_config.ts";
import { notYet } from "./not_yet.ts";

function lines(...options: string[]): string[] {
  return notYet(readConfig({ file: undefined, options, environment: () => undefined }).config);
}

const CONTAINER = "plugins[]={name: container, library_path: libcontainer.so}";
const OTHER = "plugins[]={name: k8saudit, library_path: libk8saudit.so}";

Deno.test("a configuration of what saker has is silent", () => {
  deepStrictEqual(lines(), []);
  deepStrictEqual(lines(CONTAINER, "load_plugins[]=container"), []);
});

Deno.test("plugins that would be loaded are told, others are not", () => {
  const told = ["plugins: k8saudit: this version of saker loads no plugins yet"];
  deepStrictEqual(lines(CONTAINER, OTHER), told);
  deepStrictEqual(lines(OTHER, "load_plugins[]=k8saudit"), told);
  deepStrictEqual(lines(OTHER, CONTAINER, "load_plugins[]=container"), []);
});

Deno.test("a plugin that is not configured is an error", () => {
  throws(() => lines("load_plugins[]=x"), /^Error: Cannot load plugin 'x'/);
});
