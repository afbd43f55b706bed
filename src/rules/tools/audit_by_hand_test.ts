// Audit events written by hand in tests of rules.
import { deepStrictEqual, match, ok } from "node:assert";
import { AUDIT_SOURCE, auditFieldSet } from "../../fields/audit/audit_field_set.ts";
import { FieldSet } from "../../fields/field_set.ts";
import { loadRules } from "../load.ts";
import { readScenarios } from "./scenario.ts";
import { runScenario } from "./scenario_run.ts";

const FIELDS = new FieldSet();
const RULES = `- rule: told
  desc: d
  condition: ka.verb = create and ka.response.code = 201 and ka.user.groups in (a, b)
  output: told
  priority: NOTICE
  source: k8s_audit
- rule: of system calls
  desc: d
  condition: evt.type = open
  output: o
  priority: NOTICE
`;

function run(text: string) {
  const file = readScenarios("t.yaml", text, FIELDS);
  deepStrictEqual(file.errors, []);
  const pluginFields = new Map([[AUDIT_SOURCE, auditFieldSet()]]);
  const loaded = loadRules([{ name: "r.yaml", text: RULES }], { fields: FIELDS, pluginFields });
  return file.scenarios.map((scenario) => {
    const { fired, failures } = runScenario(scenario, loaded, undefined, "kernel");
    return { fired: [...fired], failures };
  });
}

Deno.test("an audit event by hand is held against the rules of its source alone", () => {
  const results = run(`cases:
  - name: one
    audit: { verb: create, responseStatus: { code: 201 }, user: { groups: [a, "b"] } }
    fires: [told]
  - name: two, the second of which is it
    audit:
      - { verb: get }
      - { verb: create, responseStatus: { code: 201 }, user: { groups: [a] } }
    fires: [told]
    quiet: others
  - name: none
    audit: { verb: create, responseStatus: { code: 404 } }
    fires: [told]
`);
  deepStrictEqual(results.slice(0, 2), [
    { fired: ["told"], failures: [] },
    { fired: ["told"], failures: [] },
  ]);
  deepStrictEqual(results[2]!.fired, []);
  match(results[2]!.failures[0]!, /"told" did not fire/);
});

Deno.test("a case of audit events that are none, or of more than one kind, is refused", () => {
  const errors = (text: string) => readScenarios("t.yaml", text, FIELDS).errors.join();
  match(errors("cases: [{ name: x, audit: [1], fires: [told] }]"), /an audit event is a map/);
  const both = "cases: [{ name: x, audit: { verb: get }, capture: x.scap, fires: [told] }]";
  match(errors(both), /either events or a capture/);
  ok(errors("cases: [{ name: x, fires: [told] }]") !== "");
});
