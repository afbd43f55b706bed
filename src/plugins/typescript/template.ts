// The module that `saker plugin new NAME` writes: a whole plugin to begin with.

/** Of letters, digits and _; it is the name of the plugin, of its source and of its fields. */
export function templateOf(name: string): string {
  return `/// <reference path="./saker-plugin.d.ts" />
// A plugin of saker: a source of events, and fields for rules. In falco.yaml:
//
//   plugins:
//     - name: ${name}
//       library_path: /etc/saker/plugins/${name}.ts
//       open_params: "5"
//
// and a rule: {rule: R, source: ${name}, condition: ${name}.count > 3, output: "%${name}.text",
// priority: NOTICE, desc: D}. Try it: saker plugin try ./${name}.ts --open-params 5
import { at, defineFields, defineSource } from "saker/plugin";

export const plugin = {
  name: "${name}",
  version: "0.1.0",
  description: "Says what it gives",
  contact: "you@example.com",
};

// What it needs besides computing; falco.yaml grants it with plugins[].permissions. For example
// { net: ["127.0.0.1:9000"], read: ["/var/log/app"], env: ["TOKEN"] }, or a function
// (config, params) => ({ read: [params] }).
export const permissions = {};

export const source = defineSource({
  name: "${name}",
  // Data of an event: a text, bytes, or an object, which becomes JSON. \`at(time, data)\` gives it
  // a time of its own.
  async *events(params, signal, _config) {
    for (let count = 1; count <= Number(params) && !signal.aborted; count++) {
      yield at(new Date(), { count, text: \`event \${count} of \${params}\` });
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  },
  text: (event) => event.json?.text ?? "",
});

// Fields are functions of the event alone; undefined: the event has none.
export const fields = defineFields({
  "${name}.count": {
    type: "uint64",
    desc: "The event's number",
    value: (event) => event.json?.count,
  },
  "${name}.text": { type: "string", desc: "What it says", value: (event) => event.json?.text },
  "${name}.value": {
    type: "string",
    desc: "The value of a key: ${name}.value[key]",
    arg: "key",
    value: (event, key) => event.json?.[key] === undefined ? undefined : String(event.json[key]),
  },
});
`;
}
