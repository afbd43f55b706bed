// Which sources a run has, by its flags, plugins and rules.
import { deepStrictEqual, throws } from "node:assert";
import { readConfig } from "../../config/read_config.ts";
import { sourcesOf } from "./sources.ts";

interface Asked {
  readonly enable?: readonly string[];
  readonly disable?: readonly string[];
  readonly plugin?: boolean;
  readonly rules?: string;
  readonly isBuiltIn?: boolean;
}

function sources({ enable = [], disable = [], plugin = false, ...more }: Asked): unknown[] {
  const { rules = "", isBuiltIn = false } = more;
  const options = plugin ? ["plugins[]={name: k8saudit}"] : [];
  const { config } = readConfig({ file: undefined, options, environment: () => undefined });
  const flags = {
    ...{ rules: [], option: [], validate: [] },
    enableSource: enable,
    disableSource: disable,
  };
  const { syscalls, audit } = sourcesOf(flags, config, [{
    name: "r.yaml",
    text: rules,
    isBuiltIn,
  }]);
  return [syscalls, audit !== undefined];
}

const AUDIT_RULE = "- rule: R\n  source: k8s_audit\n";

Deno.test("system calls are watched, audit events where a plugin or a rule asks for them", () => {
  deepStrictEqual(sources({}), [true, false]);
  deepStrictEqual(sources({ plugin: true }), [true, true]);
  deepStrictEqual(sources({ rules: AUDIT_RULE }), [true, true]);
  deepStrictEqual(sources({ rules: "- {rule: R, source: 'k8s_audit'}\n" }), [true, true]);
  deepStrictEqual(sources({ rules: AUDIT_RULE, isBuiltIn: true }), [true, false]);
  deepStrictEqual(sources({ rules: "# source: k8s_audit\n" }), [true, false]);
});

Deno.test("flags leave sources out, and are refused where they make no sense", () => {
  deepStrictEqual(sources({ plugin: true, enable: ["k8s_audit"] }), [false, true]);
  deepStrictEqual(sources({ rules: AUDIT_RULE, disable: ["k8s_audit"] }), [true, false]);
  deepStrictEqual(sources({ plugin: true, disable: ["syscall"] }), [false, true]);
  throws(() => sources({ enable: ["k8s_audit"] }), /unknown event source: k8s_audit/);
  throws(() => sources({ disable: ["syscall"] }), /Must enable at least one event source/);
  throws(() => sources({ enable: ["syscall"], disable: ["syscall"] }), /can not mix/);
});
