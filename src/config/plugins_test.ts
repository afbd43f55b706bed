// Entries of `plugins` as people write them for Falco: what saker's own parts are told, and what is
// said of those that cannot be meant.
import { deepStrictEqual, match, strictEqual, throws } from "node:assert";
import { auditSettings, readOpenParams } from "./audit_plugin.ts";
import { containerSettings, findsUsersSockets } from "./container_plugin.ts";
import { libraryPlugins } from "./library_plugins.ts";
import { problemLine } from "./problem.ts";
import { readConfig } from "./read_config.ts";

function read(text: string, ...options: string[]) {
  const file = Deno.makeTempFileSync({ suffix: ".yaml" });
  try {
    Deno.writeTextFileSync(file, text);
    const { config, problems } = readConfig({ file, options, environment: () => undefined });
    const lines = problems.map((one) => problemLine(one).replaceAll(file, "falco.yaml"));
    return { config, lines, audit: auditSettings(config), container: containerSettings(config) };
  } finally {
    Deno.removeSync(file);
  }
}

function refused(text: string, message: RegExp, ...options: string[]) {
  throws(() => read(text, ...options), message);
}

const LOADED = `load_plugins: [k8saudit, json]
plugins:
  - name: k8saudit
    library_path: libk8saudit.so
    init_config:
      maxEventSize: 300000
      sslCertificate: /etc/pem
    open_params: " http://:9765/k8s-audit "
  - {name: json, library_path: libjson.so, init_config: ""}
`;

Deno.test("a falco.yaml with k8saudit and json is read without a word", () => {
  const { lines, audit } = read(LOADED);
  deepStrictEqual(lines, []);
  strictEqual(audit.isLoaded, true);
  deepStrictEqual(audit.input, {
    kind: "listen",
    host: "",
    port: 9765,
    path: "/k8s-audit",
    secure: false,
  });
  strictEqual(audit.init.maxEventSize, 300_000);
  strictEqual(audit.init.webhookMaxBatchSize, 12_582_912);
  strictEqual(audit.init.sslCertificate, "/etc/pem");
});

Deno.test("an option changes a part of an entry", () => {
  const { audit } = read(LOADED, "plugins[0].open_params=/tmp/audit.log");
  deepStrictEqual(audit.input, { kind: "once", path: "/tmp/audit.log" });
});

Deno.test("init_config is a map or JSON text of one", () => {
  const text = (init: string) => `plugins: [{name: k8saudit, init_config: '${init}'}]`;
  strictEqual(read(text('{"maxEventSize": 7}')).audit.init.maxEventSize, 7);
  refused(text("maxEventSize: 7"), /:1: plugins\[0\]\.init_config: expected a map, or JSON text/);
  refused(text("[1]"), /:1: plugins\[0\]\.init_config: expected a map, or JSON text/);
});

Deno.test("a value of init_config that cannot be meant is an error with its place", () => {
  refused(
    LOADED.replace("300000", "much"),
    /:6: plugins\[0\]\.init_config\.maxEventSize: expected a whole number .*, found "much"$/,
  );
  refused(
    "plugins:\n  - name: container\n    init_config:\n      engines: {docker: {enabled: maybe}}\n",
    /:4: plugins\[0\]\.init_config\.engines\.docker\.enabled: expected true or false, found/,
  );
});

Deno.test("a key of init_config that nobody knows is told, and nothing more", () => {
  const { lines, audit } = read(LOADED.replace("maxEventSize", "maxEventSizes"));
  deepStrictEqual(lines, [
    "falco.yaml:6: plugins[0].init_config.maxEventSizes: unknown key, did you mean " +
    '"maxEventSize"?',
  ]);
  strictEqual(audit.init.maxEventSize, 262_144);
});

Deno.test("a file whose name is no UTF-8 is an error that names the key", () => {
  const text = (more: string) => `plugins=[{"name": "k8saudit", ${more}}]`;
  const file = "\udcff";
  refused("", /open_params: expected a name in UTF-8/, text(`"open_params": "/a${file}"`));
  const token = `"init_config": {"tokenFile": "/a${file}"}`;
  refused("", /init_config\.tokenFile: expected a name in UTF-8/, text(token));
});

Deno.test("what is not loaded is not checked", () => {
  const { audit, lines } = read(`load_plugins: []\n${LOADED.replace(/^load.*\n/, "")}`);
  deepStrictEqual([audit.isLoaded, audit.input, lines], [false, { kind: "none" }, []]);
});

Deno.test("an entry without a name, a second one, and a name without an entry are told", () => {
  refused("plugins: [{library_path: x.so}]", /plugins\[0\]\.name: expected the name of a plugin/);
  refused("load_plugins: [a]", /:1: load_plugins\[0\]: Cannot load plugin 'a': plugin config not/);
  match(read("plugins: [{name: json}, {name: json}]").lines[0]!, /plugins\[1\]\.name: there is a/);
});

Deno.test("open_params are read as the plugin reads them", () => {
  const cases: readonly (readonly [string, ReturnType<typeof readOpenParams>])[] = [
    ["", { kind: "none" }],
    [" rel/file ", { kind: "once", path: "rel/file" }],
    ["-", { kind: "once", path: "-" }],
    ["a?b#c", { kind: "once", path: "a?b#c" }],
    ["file:///var/log/audit.log", { kind: "follow", path: "/var/log/audit.log" }],
    ["FILE:///a%20b", { kind: "follow", path: "/a b" }],
    ["http://[::1]:80/", { kind: "listen", host: "::1", port: 80, path: "/", secure: false }],
    [
      "HTTPS://cp-1/a/?x",
      { kind: "listen", host: "cp-1", port: 443, path: "/a/", secure: true },
    ],
    [
      "http://0.0.0.0:9",
      { kind: "listen", host: "0.0.0.0", port: 9, path: "/k8s-audit", secure: false },
    ],
  ];
  for (const [given, expected] of cases) deepStrictEqual(readOpenParams(given), expected, given);
  for (const given of ["ftp://x", "a:b.json", "a%zz", "http://x:99999/", "http://u@x/", "file:x"]) {
    match((readOpenParams(given) as { error: string }).error, /^expected a file or/, given);
  }
  refused("plugins: [{name: k8saudit, open_params: tail://x}]", /open_params: .*"tail" is not kno/);
});

Deno.test("the container plugin's init_config is read, with the plugin's defaults", () => {
  const { container } = read(
    "plugins:\n  - name: container\n    init_config:\n" +
      "      label_max_len: 5\n      with_size: true\n      hooks: [create, start]\n" +
      "      engines:\n        docker: {enabled: false}\n        cri: {sockets: [/run/x.sock]}\n",
  );
  strictEqual(container.label_max_len, 5);
  strictEqual(container.with_size, true);
  deepStrictEqual(container.hooks, ["create", "start"]);
  deepStrictEqual(container.engines.docker, { enabled: false, sockets: ["/var/run/docker.sock"] });
  deepStrictEqual(container.engines.cri, { enabled: true, sockets: ["/run/x.sock"] });
  strictEqual(container.engines.lxc.enabled, true);
  strictEqual(containerSettings(read("").config).label_max_len, 100);
});

const containerConfig = (init: string) =>
  `plugins:\n  - name: container\n    init_config: ${init}\nload_plugins: [container]\n`;

Deno.test("no sockets are the plugin's own, and users' are found beside those alone", () => {
  const of = (podman: string) =>
    read(containerConfig(`{engines: {podman: ${podman}, cri: {sockets: []}}}`)).container;
  const empty = of("{enabled: true, sockets: []}");
  deepStrictEqual(empty.engines.podman.sockets, ["/run/podman/podman.sock"]);
  strictEqual(empty.engines.cri.sockets.length, 4);
  strictEqual(findsUsersSockets(empty), true);
  strictEqual(findsUsersSockets(of("{sockets: [/run/podman/podman.sock]}")), true);
  strictEqual(findsUsersSockets(of("{sockets: [/run/other.sock]}")), false);
  strictEqual(findsUsersSockets(of("{enabled: false}")), false);
});

Deno.test("what of the container plugin's settings has no use here is told in a line each", () => {
  const init = "{log_level: debug, engine_timeout: 0, host_root: /host, label_max_len: 7}";
  const { lines, container } = read(containerConfig(init));
  deepStrictEqual(lines.map((line) => /init_config\.(\w+): /.exec(line)?.[1]), [
    ...["log_level", "host_root", "engine_timeout"],
  ]);
  strictEqual(container.label_max_len, 7);
  deepStrictEqual(read(containerConfig("{log_level: warn, engine_timeout: 10}")).lines, []);
});

Deno.test("a static engine needs all three of its texts", () => {
  const one = "enabled: true, container_id: task, container_name: web";
  const whole = read(containerConfig(`{engines: {static: {${one}, container_image: box:1}}}`));
  strictEqual(whole.container.engines.static.container_image, "box:1");
  refused(
    containerConfig(`{engines: {static: {${one}}}}`),
    /:3: plugins\[0\]\.init_config\.engines\.static\.container_image: expected a text, as/,
  );
});

const library = (...options: string[]) => libraryPlugins(read("", ...options).config);

Deno.test("a library's path is looked for in Falco's directory, and may not lead out of it", () => {
  const pathOf = (path: string) => library(`plugins[]={name: p, library_path: ${path}}`)[0]!.path;
  strictEqual(pathOf("libp.so"), "/usr/share/falco/plugins/libp.so");
  strictEqual(pathOf("/opt/libp.so"), "/opt/libp.so");
  for (const path of ["../libp.so", "a/../../libp.so"]) {
    throws(() => pathOf(path), /library_path: expected a path that does not lead out of/);
  }
  throws(() => library("plugins[]={name: p}"), /library_path: expected the path of the plugin's/);
});

Deno.test("a map of init_config is given as JSON with the types that Falco reads", () => {
  const init = "{count: 3, share: 0.5, on: yes, name: x, list: [1, a], quoted: '7'}";
  strictEqual(
    library(`plugins[]={name: p, library_path: p.so, init_config: ${init}}`)[0]!.initConfig,
    '{"count":3,"share":0.5,"on":true,"name":"x","list":[1,"a"],"quoted":7}',
  );
  strictEqual(
    library("plugins[]={name: p, library_path: p.so, init_config: as it is}")[0]!.initConfig,
    "as it is",
  );
});

Deno.test("the library of a part of saker is loaded where the entry insists on it", () => {
  const names = (...options: string[]) => library(...options).map(({ name }) => name);
  const json = "plugins[]={name: json, library_path: libjson.so}";
  const insisting = "plugins[]={name: json, library_path: libjson.so, builtin: false}";
  const other = "plugins[]={name: okta, library_path: libokta.so}";
  deepStrictEqual(names(json, other), ["okta"]);
  deepStrictEqual(names(insisting, other), ["json", "okta"]);
  deepStrictEqual(names(insisting, other, "load_plugins[]=json"), ["json"]);
});
