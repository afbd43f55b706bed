// The sum of a program's file: computed beside the watch, there for the runs that follow.
import { assertEquals } from "./expect.ts";
import { eventually, Saker } from "./saker.ts";
import { isRoot, Place, run } from "./trigger.ts";

const RULE = "Known sum";

function rules(path: string): string {
  return `- rule: ${RULE}
  desc: a run of the program whose sum is known
  condition: evt.type in (execve, execveat) and proc.exepath = ${path} and proc.hash.sha256 exists
  output: "%proc.hash.sha256 of %proc.exepath"
  priority: NOTICE
`;
}

async function sumOf(path: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return new Uint8Array(digest).toHex();
}

Deno.test({
  name: "a program's sum is known soon, and is another once the program is replaced",
  ignore: !isRoot(),
  fn: async () => {
    await using place = new Place();
    const program = place.file("program");
    await Deno.copyFile("/bin/true", program);
    await Deno.writeTextFile(place.file("rules.yaml"), rules(program));
    await using saker = await Saker.start([place.marker], {
      args: ["-r", place.file("rules.yaml")],
    });
    const eventuallyTold = (sum: string) =>
      eventually(`an alert with the sum ${sum}`, async () => {
        await run(program, []);
        return saker.alertsWith(sum).at(-1);
      });

    const first = await sumOf(program);
    const alert = await eventuallyTold(first);
    assertEquals(alert.output_fields["proc.hash.sha256"], first);

    // What follows the end of a program's image changes its sum and nothing else.
    const changed = place.file("changed");
    await Deno.copyFile(program, changed);
    await Deno.writeTextFile(changed, "more", { append: true });
    await Deno.rename(changed, program);
    const second = await sumOf(program);
    await eventuallyTold(second);
    const told = saker.alertsWith(place.marker).map(({ output_fields }) =>
      output_fields["proc.hash.sha256"]
    );
    assertEquals(told.lastIndexOf(first) < told.indexOf(second), true);
  },
});
