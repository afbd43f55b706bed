// What of a configuration may be shown: keys, headers, addresses, options, messages.
import { deepStrictEqual, strictEqual } from "node:assert";
import { NOT_SHOWN, shownText, shownValue } from "./secrets.ts";

Deno.test("values of keys that open something are not shown, names of files are", () => {
  const cases: [string, unknown, unknown][] = [
    ["webserver.token", "abcdefghijklmnop", NOT_SHOWN],
    ["webserver.token", "", ""],
    ["webserver.token_file", "/etc/saker/token", "/etc/saker/token"],
    ["http_output.bearer_token_file", "/run/t", "/run/t"],
    ["http_output.headers", { "X-Key": "abc" }, { "X-Key": NOT_SHOWN }],
    ["http_output.custom_headers", ["Authorization: Bearer x"], ["Authorization: (not shown)"]],
    ["http_output.url", "https://u:p@h.example:8/a/T0/B0?k=1", "https://h.example:8/(not shown)"],
    ["http_output.url", "https://h.example/", "https://h.example/"],
    ["program_output.program", "curl -d @- https://h/x y", "curl -d @- https://h/(not shown) y"],
    ["plugins", [{ name: "p", init_config: { api_key: "k", region: "r" }, open_params: "a b" }], [
      { name: "p", init_config: { api_key: NOT_SHOWN, region: "r" }, open_params: NOT_SHOWN },
    ]],
    ["plugins", [{ open_params: "/var/log/audit" }], [{ open_params: "/var/log/audit" }]],
    ["plugins", [{ init_config: '{"x": 1}' }], [{ init_config: NOT_SHOWN }]],
    ["json_output", true, true],
    ["output_timeout", 2000, 2000],
  ];
  for (const [key, value, shown] of cases) deepStrictEqual(shownValue(key, value), shown, key);
});

Deno.test("messages and places do not tell what options and secrets held", () => {
  const cases = [
    ["-o webserver.token=abc", "-o webserver.token"],
    ["-o http_output={url: https://h/x}", "-o http_output"],
    ["-o nonsense=1: nonsense: unknown key", "-o nonsense: unknown key"],
    [
      '-o json_output=a: json_output: b: json_output: expected true or false, found "a"',
      '-o json_output: expected true or false, found "a"',
    ],
    [
      "-o http_output={url: https://h/x}: http_output.url: expected a text",
      "-o http_output: http_output.url: expected a text",
    ],
    ["-o nonsense=a\nb: nonsense: unknown key", "-o nonsense: unknown key"],
    ["-o webserver.token=abc: webserver.token: found abc", "-o webserver.token: (not shown)"],
    ["falco.yaml:7", "falco.yaml:7"],
    [
      'f.yaml:3: webserver.token: expected 16, found "abc"',
      "f.yaml:3: webserver.token: (not shown)",
    ],
    ["f.yaml:3: json_output: expected true", "f.yaml:3: json_output: expected true"],
    ["webserver.token_file: no such file", "webserver.token_file: no such file"],
  ];
  for (const [text, shown] of cases) strictEqual(shownText(text!), shown);
});
