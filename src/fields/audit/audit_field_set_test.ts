// What the fields of audit events read, in a small event of each kind.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { pluginEvent } from "../../events/plugin_block_fixture.ts";
import { Event } from "../../events/event.ts";
import { Context } from "../../state/contract/context.ts";
import { createMachine } from "../../state/create_machine.ts";
import { jsonOf, shownValue, valueText } from "../render.ts";
import { auditFieldSet } from "./audit_field_set.ts";

const FIELDS = auditFieldSet({ zone: "utc" });

function contextOf(json: unknown): Context {
  const machine = createMachine({ paths: "caller", threadsMax: 1, fdsMax: 1, hostname: "box" });
  const context = new Context(machine, new Event());
  pluginEvent(context.event, typeof json === "string" ? json : JSON.stringify(json));
  machine.apply(context);
  return context;
}

/** An audit event with more keys. */
function audit(more: Record<string, unknown>): Context {
  return contextOf({ auditID: "1", ...more });
}

function bound(text: string) {
  const found = FIELDS.resolve(text);
  if ("error" in found) throw new Error(found.error);
  return found.bound;
}

function value(context: Context, text: string) {
  return bound(text).extract(context);
}

function pod(...containers: unknown[]): Context {
  return audit({ requestObject: { spec: { containers } } });
}

Deno.test("single values are strings, others are their JSON", () => {
  const context = audit({
    verb: "create",
    user: { username: "", groups: ["a", 1, null] },
    responseStatus: { code: 201, reason: null },
    requestObject: { data: { k: "v" } },
  });
  strictEqual(value(context, "ka.verb"), "create");
  strictEqual(value(context, "ka.user.name"), "");
  deepStrictEqual(value(context, "ka.user.groups"), ["a", "1", "null"]);
  strictEqual(value(context, "ka.response.code"), "201");
  strictEqual(value(context, "ka.response.reason"), "null");
  strictEqual(value(context, "ka.req.configmap.obj"), '{"k":"v"}');
  strictEqual(value(context, "ka.target.name"), undefined);
});

Deno.test("without an id no ka field has a value, and json fields do", () => {
  const context = contextOf({ verb: "get", a: { "b/c~": [1, "x"] } });
  strictEqual(value(context, "ka.verb"), undefined);
  strictEqual(value(context, "jevt.value[/verb]"), "get");
  strictEqual(value(context, "json.value[verb]"), "get");
  strictEqual(value(context, "json.value[/a/b~1c~0/1]"), "x");
  strictEqual(value(context, "json.value[/a]"), '{"b/c~":[1,"x"]}');
  strictEqual(value(context, "json.value[/]"), undefined);
});

Deno.test("fields of containers go through all of them, or to one by its index", () => {
  const context = pod(
    { name: "a", image: "r.example:5000/x:1", command: ["sh", "-c"], ports: [{ hostPort: 80 }] },
    { name: "b", image: "y@sha256:0", securityContext: { privileged: true, runAsUser: 7 } },
  );
  const list = (name: string) => value(context, `ka.req.pod.containers.${name}`);
  deepStrictEqual(list("name"), ["a", "b"]);
  deepStrictEqual(list("name[1]"), ["b"]);
  strictEqual(list("name[2]"), undefined);
  deepStrictEqual(list("name[18446744073709551615]"), ["a", "b"]);
  deepStrictEqual(list("image.repository"), ["r.example:5000/x", "y"]);
  deepStrictEqual(list("command"), ["sh -c"]);
  deepStrictEqual(list("host_port"), ["80"]);
  deepStrictEqual(list("privileged"), ["true"]);
  deepStrictEqual(list("eff_run_as_user"), ["0", "7"]);
  deepStrictEqual(list("eff_run_as_user[1]"), ["7"]);
  strictEqual(value(context, "ka.req.container.image"), "r.example:5000/x:1");
  strictEqual(value(context, "ka.req.container.privileged"), "true");
  strictEqual(value(context, "ka.req.pod.initContainers.name"), undefined);
});

Deno.test("a container without an image leaves no images, one without ports is passed over", () => {
  const context = pod({ image: "x" }, { ports: [{ containerPort: 8080 }] });
  strictEqual(value(context, "ka.req.pod.containers.image"), undefined);
  deepStrictEqual(value(context, "ka.req.pod.containers.host_port"), ["8080"]);
});

Deno.test("a container's user is its own, else the pod's, else 0", () => {
  const securityContext = { runAsUser: 5 };
  const containers = [{ securityContext: { runAsUser: 1000 } }, {}];
  const context = audit({ requestObject: { spec: { securityContext, containers } } });
  deepStrictEqual(value(context, "ka.req.pod.containers.eff_run_as_user"), ["1000", "5"]);
  deepStrictEqual(value(context, "ka.req.pod.containers.eff_run_as_group"), ["0", "0"]);
});

Deno.test("a JSON patch has no volumes and harms nobody", () => {
  const context = audit({ requestObject: [{ op: "add", path: "/spec/x", value: {} }] });
  strictEqual(value(context, "ka.req.pod.volumes.volume_type"), undefined);
  strictEqual(value(context, "ka.req.pod.volumes.volume_type[0]"), undefined);
  strictEqual(value(context, "ka.req.volume.hostpath[/etc]"), "false");
  strictEqual(value(context, "ka.req.container.privileged"), "false");
});

Deno.test("volumes are told by their types and by the host's paths", () => {
  const volumes = [{ name: "v", hostPath: { path: "/etc" } }, { emptyDir: {}, name: "w" }];
  const context = audit({ requestObject: { spec: { volumes } } });
  deepStrictEqual(value(context, "ka.req.pod.volumes.volume_type"), ["hostPath", "emptyDir"]);
  deepStrictEqual(value(context, "ka.req.pod.volumes.volume_type[1]"), ["emptyDir"]);
  deepStrictEqual(value(context, "ka.req.pod.volumes.hostpath"), ["/etc"]);
  strictEqual(value(context, "ka.req.volume.hostpath[/etc]"), "true");
  strictEqual(value(context, "ka.req.volume.hostpath[/e*]"), "true");
  strictEqual(value(context, "ka.req.volume.hostpath[/]"), "false");
});

Deno.test("rules of roles and subjects of bindings are lists", () => {
  const context = audit({
    requestObject: {
      rules: [{ verbs: ["get", "*"], resources: "pods" }, { verbs: ["create"] }],
      subjects: [
        { kind: "User", name: "ann" },
        { kind: "ServiceAccount", name: "bot", namespace: "shop" },
        { kind: "ServiceAccount", name: "bare" },
      ],
      roleRef: { name: "edit" },
    },
  });
  deepStrictEqual(value(context, "ka.req.role.rules.verbs"), ["get", "*", "create"]);
  deepStrictEqual(value(context, "ka.req.role.rules.verbs[1]"), ["create"]);
  strictEqual(value(context, "ka.req.role.rules.resources"), undefined);
  deepStrictEqual(value(context, "ka.req.binding.subjects.user_names"), ["ann"]);
  deepStrictEqual(value(context, "ka.req.binding.subjects.serviceaccount_names"), ["bot", "bare"]);
  deepStrictEqual(
    value(context, "ka.req.binding.subjects.serviceaccount_ns_names"),
    ["shop:bot"],
  );
  strictEqual(value(context, "ka.req.binding.subjects.group_names"), undefined);
  strictEqual(value(context, "ka.req.binding.role"), "edit");
});

Deno.test("a pod's name is that of a request about pods themselves", () => {
  const of = (objectRef: unknown) =>
    value(audit({ objectRef, responseObject: { metadata: { name: "p" } } }), "ka.target.pod.name");
  strictEqual(of({ resource: "pods" }), "p");
  strictEqual(of({ resource: "pods", subresource: "" }), "p");
  strictEqual(of({ resource: "pods", subresource: "exec" }), undefined);
  strictEqual(of({ resource: "nodes" }), undefined);
});

Deno.test("an event's JSON is shown indented where it is JSON by the letter", () => {
  strictEqual(value(contextOf('{"a":[1]}'), "jevt.obj"), '{\n  "a": [\n    1\n  ]\n}');
  for (const json of ['{"a":NaN}', '{"a":01}', '{"a":"\\x"}', '{"a":"\t"}']) {
    strictEqual(value(contextOf(json), "jevt.obj"), undefined, json);
  }
});

Deno.test("every source's fields know where an audit event comes from", () => {
  const context = audit({});
  strictEqual(value(context, "evt.source"), "k8s_audit");
  strictEqual(value(context, "evt.pluginname"), "k8saudit");
  strictEqual(value(context, "evt.plugininfo"), '{"auditID":"1"}');
  strictEqual(value(context, "evt.is_async"), false);
  strictEqual(value(context, "jevt.rawtime"), String(context.event.time()));
});

Deno.test("a time before 1970 wraps as in Falco, whose evt.time has a sign in JSON", () => {
  const context = audit({});
  pluginEvent(context.event, '{"auditID":"1"}', -1);
  strictEqual(jsonOf(bound("evt.time"), context), -1_000_000_000n);
  strictEqual(value(context, "jevt.rawtime"), "18446744072709551616");
});

Deno.test("lists are shown as Falco shows them", () => {
  const field = bound("ka.user.groups");
  const shown = (groups: unknown[]) => {
    const context = audit({ user: { groups } });
    return [valueText(field, shownValue(field, context)), jsonOf(field, context)];
  };
  deepStrictEqual(shown(["a"]), ["(a)", ["a"]]);
  deepStrictEqual(shown(["", "a", "", "b"]), ["(a,,b)", ["", "a", "", "b"]]);
  deepStrictEqual(shown([]), ["<NA>", undefined]);
  const [text] = shown(Array.from({ length: 300 }, () => "group"));
  strictEqual((text as string).length, 1023);
});

Deno.test("arguments that do not fit are refused in words", () => {
  const refused = (text: string) => {
    const found = FIELDS.resolve(text);
    ok("error" in found, text);
    return found.error;
  };
  match(refused("ka.req.pod.containers.image[x]"), /composed only by digits/);
  match(refused("ka.req.pod.containers.image[-1]"), /composed only by digits/);
  match(refused("ka.uri.param"), /requires an argument/);
  match(refused("ka.user.name[0]"), /does not allow nor require an argument/);
  match(refused("proc.name"), /unknown field/);
});
