// Plugins in Go whose kit has a spinning thread that no configuration stops: their process runs Go
// on one processor, unless who starts saker says otherwise. A library that looks like one of Go's
// stands for them.
import { cPlugin } from "../plugins/build.ts";
import { childrenOf } from "./children.ts";
import { assertEquals } from "./expect.ts";
import { eventually, Saker } from "./saker.ts";
import { Place } from "./trigger.ts";

/** What the plugin's process was told of processors. */
async function told(
  library: string,
  env: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  await using place = new Place();
  const plugin = { name: "lines", library_path: library, open_params: "count=3 end=wait" };
  Deno.writeTextFileSync(place.file("falco.yaml"), JSON.stringify({ plugins: [plugin] }));
  const rule = { rule: "Line", desc: "d", condition: "lines.number >= 0", output: "x" };
  Deno.writeTextFileSync(
    place.file("rules.yaml"),
    JSON.stringify([{ ...rule, priority: "NOTICE", source: "lines" }]),
  );
  const args = ["-c", place.file("falco.yaml"), "-r", place.file("rules.yaml")];
  args.push("--disable-source", "syscall");
  await using saker = await Saker.start([place.marker], { args, env });
  const [child] = await eventually("the plugin's process", () => {
    const children = childrenOf(saker.pid, "saker: plugin lines");
    return children.length > 0 ? children : undefined;
  });
  const variables = Deno.readTextFileSync(`/proc/${child}/environ`).split("\0");
  return variables.find((variable) => variable.startsWith("GOMAXPROCS="));
}

Deno.test("a plugin in Go whose thread spins in any case has one processor for Go", async () => {
  const go = await cPlugin("lines", { LINES_GO: "1" });
  assertEquals(await told(go, {}), "GOMAXPROCS=1");
  assertEquals(await told(go, { GOMAXPROCS: "3" }), "GOMAXPROCS=3");
  assertEquals(await told(await cPlugin("lines"), {}), undefined);
});
