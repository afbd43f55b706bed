// What fields give of events that no API server writes: wrong types at every place, keys that come
// twice or are written with escapes, lists in lists, texts that are no texts. Each row is what
// Falco's k8saudit and json plugins give, as their source and FACTS of runs have it; `undefined` is
// no value.
import { deepStrictEqual } from "node:assert";
import { pluginEvent } from "../../events/plugin_block_fixture.ts";
import { Event } from "../../events/event.ts";
import { Context } from "../../state/contract/context.ts";
import { createMachine } from "../../state/create_machine.ts";
import { auditFieldSet } from "./audit_field_set.ts";

type Row = readonly [json: string, field: string, expected: string | string[] | undefined];

const FIELDS = auditFieldSet({ zone: "utc" });

function holds(rows: readonly Row[]): void {
  const machine = createMachine({ paths: "caller", threadsMax: 1, fdsMax: 1, hostname: "box" });
  const context = new Context(machine, new Event());
  for (const [json, field, expected] of rows) {
    const found = FIELDS.resolve(field);
    if ("error" in found) throw new Error(found.error);
    pluginEvent(context.event, json);
    context.event.num++;
    machine.apply(context);
    deepStrictEqual(found.bound.extract(context), expected, `${field} of ${json}`);
  }
}

/** An audit event with more members, written as they are. */
function with_(more: string): string {
  return `{"auditID":"1",${more}}`;
}

function pod(spec: string): string {
  return with_(`"requestObject":{"spec":${spec}}`);
}

function uri(uri: string): string {
  return with_(`"requestURI":${JSON.stringify(uri)}`);
}

Deno.test("a value of another type is its text, as it was received", () => {
  holds([
    [with_('"verb":["a", 1]'), "ka.verb", '["a",1]'],
    [with_('"verb":{"b":1,"a":2}'), "ka.verb", '{"b":1,"a":2}'],
    [with_('"verb":null'), "ka.verb", "null"],
    [with_('"verb":true'), "ka.verb", "true"],
    [with_('"verb":-0.10e+05'), "ka.verb", "-0.10e+05"],
    [with_('"verb":12345678901234567890123'), "ka.verb", "12345678901234567890123"],
    [with_('"verb":1e999'), "ka.verb", "1e999"],
    [with_('"verb":NaN'), "ka.verb", "NaN"],
    [with_('"verb":-inf'), "ka.verb", "-inf"],
    [with_('"verb":0201'), "ka.verb", "0201"],
    [with_('"verb":{}'), "ka.verb", "{}"],
    [with_('"verb":[ ]'), "ka.verb", "[]"],
    [with_('"verb":""'), "ka.verb", ""],
    [with_('"responseStatus":{"code":"201"}'), "ka.response.code", "201"],
    [with_('"responseStatus":{"code":200.0}'), "ka.response.code", "200.0"],
    [with_('"responseStatus":{"code":[200]}'), "ka.response.code", "[200]"],
    [with_('"user":{"username":{"a":"\\u003c"}}'), "ka.user.name", '{"a":"\\u003c"}'],
  ]);
});

Deno.test("what is on the way to a value must be an object, or an array that a number asks", () => {
  holds([
    [with_('"user":"ann"'), "ka.user.name", undefined],
    [with_('"user":null'), "ka.user.name", undefined],
    [with_('"user":[{"username":"ann"}]'), "ka.user.name", undefined],
    [with_('"objectRef":[]'), "ka.target.name", undefined],
    [
      with_('"annotations":{"authorization.k8s.io":{"decision":"x"}}'),
      "ka.auth.decision",
      undefined,
    ],
    ['[{"auditID":"1"}]', "ka.auditid", undefined],
    ['[{"auditID":"1"}]', "jevt.value[/0/auditID]", "1"],
    ['{"a":[[1,2],[3]]}', "jevt.value[/a/1/0]", "3"],
    ['{"a":[1,2]}', "jevt.value[/a/-0]", "1"],
    ['{"a":[1,2]}', "jevt.value[/a/+1]", "2"],
    ['{"a":[1,2]}', "jevt.value[/a/01]", "2"],
    ['{"a":[1,2]}', "jevt.value[/a/-1]", undefined],
    ['{"a":[1,2]}', "jevt.value[/a/2]", undefined],
    ['{"a":[1,2]}', "jevt.value[/a/99999999999999999999]", undefined],
    ['{"a":[1,2]}', "jevt.value[/a/1.0]", undefined],
    ['{"a":[1,2]}', "jevt.value[/a/-]", undefined],
    ['{"a":[1,2]}', "jevt.value[/a/]", undefined],
    ['{"a":{"1":"x"}}', "jevt.value[/a/1]", "x"],
    ['{"a":"text"}', "jevt.value[/a/0]", undefined],
    ['{"a":null}', "jevt.value[/a]", "null"],
    ['{"a":null}', "jevt.value[/a/b]", undefined],
  ]);
});

Deno.test("a pointer's keys are taken apart first and mean ~ and / then", () => {
  holds([
    ['{"":{"":"x"}}', "json.value[//]", "x"],
    ['{"":"x"}', "json.value[/]", "x"],
    ['{"a":{"":"x"}}', "json.value[/a/]", "x"],
    ['{"a/b":"x"}', "json.value[a~1b]", "x"],
    ['{"a~b":"x"}', "json.value[/a~0b]", "x"],
    ['{"~1":"x"}', "json.value[/~01]", "x"],
    ['{"a~2":"x"}', "json.value[/a~2]", "x"],
    ['{"a b":"x"}', "json.value[/a b]", "x"],
    ['{"é":"x"}', "json.value[/é]", "x"],
    ['{"\\u00e9":"x"}', "json.value[/é]", "x"],
    ['{"a\\b":"x"}', "json.value[/a\\b]", undefined],
    ['{"a\\\\b":"x"}', "json.value[/a\\b]", "x"],
    ['{"a\\q":"x"}', "json.value[/a\\q]", "x"],
  ]);
});

Deno.test("of a key that comes twice the first counts, one written plainly before others", () => {
  holds([
    [with_('"verb":"get","verb":"delete"'), "ka.verb", "get"],
    [with_('"v\\u0065rb":"get"'), "ka.verb", "get"],
    [with_('"v\\u0065rb":"get","verb":"delete"'), "ka.verb", "delete"],
    [with_('"VERB":"get"'), "ka.verb", undefined],
    [with_('"verb ":"get"'), "ka.verb", undefined],
    ['{"auditID":null,"verb":"get"}', "ka.verb", "get"],
    ['{"audit\\u0049D":"1","verb":"get"}', "ka.verb", "get"],
    ['{"auditid":"1","verb":"get"}', "ka.verb", undefined],
  ]);
});

Deno.test("escapes mean characters where they are some, and stay as they are where not", () => {
  holds([
    [with_('"verb":"\\u0041\\/\\"\\\\\\n"'), "ka.verb", 'A/"\\\n'],
    [with_('"verb":"\\ud83d\\ude00"'), "ka.verb", "😀"],
    [with_('"verb":"\\ud83d"'), "ka.verb", "\\ud83d"],
    [with_('"verb":"\\ud83dx"'), "ka.verb", "\\ud83dx"],
    [with_('"verb":"\\ude00\\ud83d"'), "ka.verb", "\ufffd"],
    [with_('"verb":"\\ud83d\\u0041"'), "ka.verb", "\ufffd"],
    [with_('"verb":"\\ud83d\\u00"'), "ka.verb", "\\ud83d\\u00"],
    [with_('"verb":"\\uZZZZ\\x41\\\'"'), "ka.verb", "\\uZZZZ\\x41\\'"],
    [with_('"verb":"\\u12"'), "ka.verb", "\\u12"],
    [with_('"verb":"\\u+041"'), "ka.verb", "\\u+041"],
    [with_('"verb":"a\tb"'), "ka.verb", "a\tb"],
    [with_('"verb":"<\\u003c"'), "ka.verb", "<<"],
    [with_('"verb":["\\u003c"]'), "ka.verb", '["\\u003c"]'],
  ]);
});

Deno.test("lists are arrays, of texts whatever is in them; without elements they are none", () => {
  holds([
    [with_('"user":{"groups":["a",1,null,{"b":2},["c"],""]}'), "ka.user.groups", [
      ...["a", "1", "null", '{"b":2}', '["c"]', ""],
    ]],
    [with_('"user":{"groups":"a"}'), "ka.user.groups", undefined],
    [with_('"user":{"groups":{"0":"a"}}'), "ka.user.groups", undefined],
    [with_('"user":{"groups":[]}'), "ka.user.groups", undefined],
    [with_('"user":{"groups":null}'), "ka.user.groups", undefined],
    [with_('"requestObject":{"rules":["a",{"verbs":["get"]}]}'), "ka.req.role.rules.verbs", [
      "get",
    ]],
    [with_('"requestObject":{"rules":{"verbs":["get",1]}}'), "ka.req.role.rules.verbs", [
      "get",
      "1",
    ]],
    [with_('"requestObject":{"rules":[[{"verbs":["get"]}]]}'), "ka.req.role.rules.verbs", ["get"]],
    [with_('"requestObject":{"rules":[{"verbs":[]}]}'), "ka.req.role.rules.verbs", undefined],
    [with_('"requestObject":{"rules":[{"sourceIPs":["::1"]}]}'), "ka.sourceips", ["::1"]],
    [with_('"sourceIPs":["::1"]'), "ka.sourceips", undefined],
  ]);
});

Deno.test("containers may be none, one that stands alone, or lists in lists", () => {
  const images = "ka.req.pod.containers.image";
  holds([
    [pod('{"containers":[]}'), images, undefined],
    [pod('{"containers":{"image":"a:1"}}'), images, ["a:1"]],
    [pod('{"containers":{"image":"a:1"}}'), `${images}[7]`, ["a:1"]],
    [pod('{"containers":[[{"image":"a"}],{"image":"b"}]}'), images, ["a", "b"]],
    [pod('{"containers":[[{"image":"a"}]]}'), `${images}[0]`, undefined],
    [pod('{"containers":[{"image":null}]}'), images, ["null"]],
    [pod('{"containers":[{"image":["a"]}]}'), images, ['["a"]']],
    [pod('{"containers":[null,{"image":"a"}]}'), images, undefined],
    [pod('{"containers":["a"]}'), images, undefined],
    [pod('{"containers":[{"image":"a"},{}]}'), `${images}[0]`, ["a"]],
    [pod('{"containers":[{"image":"a"}]}'), `${images}[18446744073709551614]`, undefined],
    [with_('"requestObject":[{"spec":{"containers":[{"image":"a"}]}}]'), images, ["a"]],
    [with_('"requestObject":[{"spec":{"containers":[{"image":"a"}]}}]'), `${images}[0]`, ["a"]],
    [with_('"requestObject":[{"spec":{"containers":[{"image":"a"}]}}]'), `${images}[1]`, undefined],
    [with_('"requestObject":[]'), images, undefined],
    [pod('{"containers":[]}'), "ka.req.container.privileged", "false"],
    [pod('{"containers":null}'), "ka.req.container.privileged", undefined],
    [pod('{"containers":[{"securityContext":{"privileged":"true"}}]}'), ...PRIVILEGED, "false"],
    [pod('{"containers":[{"securityContext":{"privileged":1}}]}'), ...PRIVILEGED, "false"],
    [pod('{"containers":[{"securityContext":[{"privileged":true}]}]}'), ...PRIVILEGED, "true"],
    [
      pod('{"containers":[{"securityContext":{"privileged":"true"}},{}]}'),
      "ka.req.pod.containers.privileged",
      ["true"],
    ],
    [pod('{"containers":[{"command":[]},{}]}'), "ka.req.pod.containers.command", [""]],
    [pod('{"containers":[{"command":["a",1]}]}'), "ka.req.pod.containers.command", undefined],
    [pod('{"containers":[{"command":"sh"}]}'), "ka.req.pod.containers.command", undefined],
    [
      pod(
        '{"containers":[{"ports":[{"hostPort":0,"containerPort":80},{"containerPort":"x"},{}]}]}',
      ),
      "ka.req.pod.containers.host_port",
      ["0", "x"],
    ],
    [
      pod('{"containers":[{"ports":{"hostPort":1}}]}'),
      "ka.req.pod.containers.host_port",
      undefined,
    ],
    [
      pod('{"containers":[{"securityContext":{"capabilities":{"add":["A","B"]}}}]}'),
      "ka.req.pod.containers.add_capabilities",
      ['["A","B"]'],
    ],
    [pod('{"ports":[{"a":1},{"b":2}]}'), "ka.req.service.ports", ['[{"a":1},{"b":2}]']],
    [pod('{"ports":[{"a":1},{"b":2}]}'), "ka.req.service.ports[9]", ['[{"a":1},{"b":2}]']],
    [pod('{"ports":80}'), "ka.req.service.ports", ["80"]],
  ]);
});

const PRIVILEGED = ["ka.req.container.privileged"] as const;

Deno.test("volumes may be of any shape", () => {
  const types = "ka.req.pod.volumes.volume_type";
  holds([
    [pod('{"volumes":[{"name":"a","hostPath":{},"x":1},null,"b",{"emptyDir":0}]}'), types, [
      ...["hostPath", "x", "emptyDir"],
    ]],
    [pod('{"volumes":{"name":"a","hostPath":{}}}'), types, ["hostPath"]],
    [pod('{"volumes":[[{"hostPath":{}}],[[{"nfs":{}}]]]}'), types, ["hostPath", "nfs"]],
    [pod('{"volumes":[[{"hostPath":{}}]]}'), `${types}[0]`, undefined],
    [pod('{"volumes":[{"host\\u0050ath":{},"n\\u0061me":1}]}'), types, ["hostPath"]],
    [pod('{"volumes":[]}'), types, undefined],
    [pod('{"volumes":[]}'), "ka.req.volume.hostpath[/etc]", "false"],
    [pod('{"volumes":null}'), "ka.req.volume.hostpath[/etc]", undefined],
    [pod('{"volumes":[{"hostPath":{"path":1}}]}'), "ka.req.volume.hostpath[1]", "true"],
    [pod('{"volumes":[{"hostPath":{"path":"/etc/x"}}]}'), "ka.req.volume.hostpath[/etc*]", "true"],
    [pod('{"volumes":[{"hostPath":{"path":"/etc/x"}}]}'), "ka.req.volume.hostpath[*]", "true"],
    [pod('{"volumes":[{"hostPath":"/etc"}]}'), "ka.req.pod.volumes.hostpath", undefined],
  ]);
});

Deno.test("parameters of odd URIs are what Go's URLs have", () => {
  const q = "ka.uri.param[q]";
  holds([
    [uri("/a?q=1&q=2"), q, "1"],
    [uri("/a?q"), q, ""],
    [uri("?q=1"), q, "1"],
    [uri("*?q=1"), q, "1"],
    [uri("/a??q=1"), q, undefined],
    [uri("/a??q=1"), "ka.uri.param[?q]", "1"],
    [uri("/a?q=1#x\u0001y"), q, "1"],
    [uri("/a?q=1#%zz"), q, undefined],
    [uri("/a\u007f?q=1"), q, undefined],
    [uri("/a?q=\u00e9+%C3%A9"), q, "é é"],
    [uri("/a?%71=1"), q, "1"],
    [uri("/a?&&q=1&"), q, "1"],
    [uri("/a?=x&q=1"), q, "1"],
    [uri("/a?q=a=b"), q, "a=b"],
    [uri("a:/b?q=1"), q, "1"],
    [uri("1a:/b?q=1"), q, undefined],
    [uri("a/b:c?q=1"), q, "1"],
    [uri("//u:p@h:80/a?q=1"), q, "1"],
    [uri("//u[@h/a?q=1"), q, undefined],
    [uri("//%zz@h/a?q=1"), q, undefined],
    [uri('//<">/a?q=1'), q, "1"],
    [uri("//h%25/a?q=1"), q, "1"],
    [uri("//h%41/a?q=1"), q, undefined],
    [uri("///a?q=1"), q, "1"],
    [with_('"requestURI":5'), q, undefined],
    [with_('"requestURI":null'), q, undefined],
    [with_('"requestURI":{"a":"/?q=1"}'), q, undefined],
    [with_('"verb":"get"'), q, undefined],
  ]);
});

Deno.test("a pod's name is that of the answer, for requests about pods alone", () => {
  const of = (ref: string, name: string) =>
    with_(`"objectRef":${ref},"responseObject":{"metadata":{"name":${name}}}`);
  const name = "ka.target.pod.name";
  holds([
    [of('{"resource":"pods"}', '"p"'), name, "p"],
    [of('{"resource":"pods"}', "7"), name, "7"],
    [of('{"resource":"pods","subresource":null}', '"p"'), name, "p"],
    [of('{"resource":"pods","subresource":["exec"]}', '"p"'), name, "p"],
    [of('{"resource":"pods","subresource":"exec"}', '"p"'), name, undefined],
    [of('{"resource":["pods"]}', '"p"'), name, undefined],
    [of('"pods"', '"p"'), name, undefined],
  ]);
});

Deno.test("an event's JSON is indented as Go does it", () => {
  holds([
    ['{"a":{},"b":[],"c":[{}]}', "jevt.obj", '{\n  "a": {},\n  "b": [],\n  "c": [\n    {}\n  ]\n}'],
    ['{"a":1e400,"b":"\\u003c"}', "jevt.obj", '{\n  "a": 1e400,\n  "b": "\\u003c"\n}'],
    ['{"a":"\u007f"}', "jevt.obj", '{\n  "a": "\u007f"\n}'],
    ['{"a":1.}', "jevt.obj", undefined],
    ['{"a":+1}', "jevt.obj", undefined],
    ['{"a":-inf}', "jevt.obj", undefined],
    ['{"a":"\\ud800"}', "jevt.obj", '{\n  "a": "\\ud800"\n}'],
    ['{"a\\x":1}', "jevt.obj", undefined],
  ]);
});
