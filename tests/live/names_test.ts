// A rule on a directory sees every change below it, on the built binary, whatever the program calls
// the files; and the names that were looked up are counted.
import { assert, assertEquals } from "./expect.ts";
import { eventually, Saker } from "./saker.ts";
import { compiled, has, isRoot, Place, run, triggersOf } from "./trigger.ts";

const RULE = "Changed below protected";
const TYPES =
  "chmod, fchmodat, chown, lchown, truncate, utimensat, rename, link, symlink, mkdir, " +
  "rmdir, unlinkat, unlink";

Deno.test({
  name: "every change below a directory is told by the name that the kernel has for it",
  ignore: !isRoot() || !has("cc"),
  async fn() {
    await using place = new Place();
    const program = await compiled(place, "names");
    const rule = {
      rule: RULE,
      desc: "a change by a name",
      condition: `evt.type in (${TYPES}) and ${triggersOf(place.marker)} and ` +
        "(fs.path.name contains /protected/ or fs.path.source contains /protected/ or " +
        "fs.path.target contains /protected/)",
      output: "%evt.type %fs.path.name %fs.path.source %fs.path.target %proc.cmdline",
      priority: "NOTICE",
    };
    Deno.writeTextFileSync(place.file("rules.yaml"), JSON.stringify([rule]));
    await using saker = await Saker.start([place.marker], {
      args: ["-r", place.file("rules.yaml"), "-o", "engine.paths=kernel"],
    });
    Deno.mkdirSync(place.file("home"));
    const ran = await run(program, [place.file("home"), place.mark("names")]);
    assertEquals(ran.code, 0, ran.stderr);
    const changes = Number(ran.stdout);
    const alerts = await eventually("an alert of every change", () => {
      const seen = saker.alertsWith(place.marker).filter((alert) => alert.rule === RULE);
      return seen.length >= changes ? seen : undefined;
    });
    assertEquals(alerts.length, changes);
    const home = `${place.file("home")}/protected/`;
    for (const { output, output_fields: fields } of alerts) {
      const paths = ["fs.path.name", "fs.path.source", "fs.path.target"]
        .map((field) => fields[field]).filter((path) => typeof path === "string");
      const isRight = (path: string) =>
        path.startsWith(home) || path.startsWith("/protected/") ||
        path === `${place.file("home")}/new`;
      assert(paths.every(isRight), output);
    }
    await eventually("the names to be counted", async () => {
      const names = (await saker.health())?.body.names as { looked_up: number } | undefined;
      return names !== undefined && names.looked_up >= changes ? true : undefined;
    });
  },
});
