// Fields in TypeScript on system calls, by the built binary over captures: what a plugin is shown
// of an event, under each of its views, and what is told where it asks for what there is not.
import { match as assertMatch } from "node:assert";
import { assertEquals } from "./live/expect.ts";
import { runSaker } from "./live/saker.ts";
import { Place } from "./live/trigger.ts";
import { writeCapture } from "./capture_file.ts";

const MODULE = `import { defineFields } from "saker/plugin";
export const plugin = { name: "calls", version: "1.0.0" };
export const fields = defineFields({
  sources: ["syscall"],
  types: ["openat", "open"],
  reads: ["fd.name", "thread.tid", "proc.name"],
  fields: {
    "calls.depth": {
      type: "uint64",
      desc: "Parts of the path",
      value: ({ call }) => String(call?.fields["fd.name"]).split("/").length - 1,
    },
    "calls.arg": {
      type: "string",
      desc: "A parameter",
      arg: "key",
      value: ({ call }, name) => String(call?.args[name]),
    },
    "calls.all": { type: "string", desc: "All of it", value: ({ text }) => text },
  },
});
`;

const RULES = `- rule: Depth
  desc: d
  condition: evt.type in (open, openat) and calls.depth = 2
  output: "%fd.name %calls.arg[name] %calls.arg[flags] %calls.all"
  priority: NOTICE
`;

async function replayed(place: Place, module: string): ReturnType<typeof runSaker> {
  Deno.writeTextFileSync(place.file("calls.ts"), module);
  Deno.writeTextFileSync(place.file("rules.yaml"), RULES);
  writeCapture(place.file("opened.scap"), [
    { path: "/one" },
    { path: "/one/two", tid: 7 },
    { path: "/tmp/link", kernel: "/etc/deep/shadow" },
    { path: "/tmp/deep/link", kernel: "/etc/shadow" },
  ]);
  const entry = `plugins[]={name: calls, library_path: ${place.file("calls.ts")}}`;
  const args = ["-o", entry, "-o", "json_output=true", "-r", place.file("rules.yaml")];
  return await runSaker([...args, "replay", place.file("opened.scap")]);
}

Deno.test("a plugin in TypeScript gives fields of system calls, under each view", async () => {
  await using place = new Place();
  const { code, stdout, stderr } = await replayed(place, MODULE);
  assertEquals(code, 0, stderr);
  const alerts = stdout.trim().split("\n").map((line) => JSON.parse(line).output_fields);
  assertEquals(alerts.map((fields) => [fields["calls.arg[name]"], fields["evt.view"]]), [
    ["/one/two", undefined],
    ["/tmp/link", "caller"],
    ["/etc/shadow", "kernel"],
  ]);
  assertEquals(alerts[0]["calls.arg[flags]"], "O_RDONLY");
  const { args, ...shown } = JSON.parse(alerts[0]["calls.all"]);
  assertEquals(shown, {
    type: "openat",
    num: 2,
    fields: { "fd.name": "/one/two", "thread.tid": 7, "proc.name": "<NA>" },
  });
  assertEquals([args.name, args.mode, args.fd], ["/one/two", "0", "<f>/one/two"]);
});

Deno.test("a plugin that reads what there is not is refused with its name", async () => {
  await using place = new Place();
  const refused = async (from: string, to: string) => {
    const { code, stderr } = await replayed(place, MODULE.replace(from, to));
    assertEquals(code, 1, stderr);
    return stderr;
  };
  assertMatch(
    await refused('"proc.name"', '"proc.nmae"'),
    /^Error: Plugin 'calls' reads the field 'proc\.nmae' of system calls: .* mean proc\.name\?$/m,
  );
  assertMatch(
    await refused('"openat"', '"opanat"'),
    /its fields\.types: there is no event "opanat", did you mean openat\?/,
  );
  assertMatch(
    await refused("reads: [", "reads: [5, "),
    /its fields\.reads: expected a list of texts/,
  );
});
