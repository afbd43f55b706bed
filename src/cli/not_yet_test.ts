// What a configuration asks for in vain is told; what saker does by itself is not.
import { deepStrictEqual, match, throws } from "node:assert";
import { readConfig } from "../config/read_config.ts";
import { notYet } from "./not_yet.ts";

function lines(...options: string[]): string[] {
  return notYet(readConfig({ file: undefined, options, environment: () => undefined }).config);
}

const CONTAINER = "plugins[]={name: container, library_path: libcontainer.so}";
const OWN = "plugins[]={name: k8saudit, library_path: libk8saudit.so}";
const OTHER = "plugins[]={name: okta, library_path: libokta.so}";

Deno.test("a configuration of what saker has is silent", () => {
  deepStrictEqual(lines(), []);
  deepStrictEqual(lines(CONTAINER, OWN, "load_plugins=[container, k8saudit, json]"), []);
});

Deno.test("that a library is insisted on is told", () => {
  const [line, ...more] = lines("plugins[]={name: json, library_path: l.so, builtin: false}");
  match(line!, /^plugins: json: builtin: false: this version of saker loads no plugins yet/);
  deepStrictEqual(more, []);
});

Deno.test("plugins that would be loaded are told, others are not", () => {
  const told = ["plugins: okta: this version of saker loads no plugins yet"];
  deepStrictEqual(lines(CONTAINER, OTHER), told);
  deepStrictEqual(lines(OTHER, "load_plugins[]=okta"), told);
  deepStrictEqual(lines(OTHER, CONTAINER, "load_plugins[]=container"), []);
});

Deno.test("a plugin that is not configured is an error", () => {
  throws(() => lines("load_plugins[]=x"), /load_plugins\[0\]: Cannot load plugin 'x'/);
});
