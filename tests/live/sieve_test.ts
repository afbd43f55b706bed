// The sieve in the kernel: what no rule can use is counted and not written, what a rule is about
// is told under whatever name; without it every open comes.
import { assert, assertEquals } from "./expect.ts";
import { eventually, Saker } from "./saker.ts";
import { isRoot, Place, shell } from "./trigger.ts";

const OPENS = 500;

interface PassedOver {
  readonly events: number;
  readonly by_type: Readonly<Record<string, number>>;
}

async function passedOver(saker: Saker): Promise<PassedOver> {
  return (await saker.health())!.body.passed_over as PassedOver;
}

/** A rule on reads below one directory, with the place's marker in its output. */
function rulesOf(place: Place): string {
  return `- rule: read of the secret
  desc: a file below one directory is read
  condition: evt.type in (open, openat, openat2) and evt.is_open_read = true
    and fd.name startswith ${place.path}/secret
  output: read of %fd.name by its name %fd.nameraw (%proc.cmdline)
  priority: WARNING
`;
}

async function watched(place: Place, more: readonly string[]): Promise<Saker> {
  await Deno.writeTextFile(place.file("rules.yaml"), rulesOf(place));
  await Deno.writeTextFile(place.file("plain"), "x");
  await Deno.mkdir(place.file("secret"));
  await Deno.writeTextFile(place.file("secret/key"), "x");
  await Deno.symlink(place.file("secret/key"), place.file("link"));
  return await Saker.start([place.marker], { args: ["-r", place.file("rules.yaml"), ...more] });
}

const READ = `i=0; while [ $i -lt ${OPENS} ]; do : < "$1"; i=$((i+1)); done`;

Deno.test({
  name: "opens of no use stay in the kernel, an open that a rule is about is told",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    await using saker = await watched(place, ["-o", "engine.kernel_sieve=true"]);
    const before = (await passedOver(saker)).by_type.openat ?? 0;
    await shell(place.mark("plain"), READ, [place.file("plain")]);
    await shell(place.mark("direct"), ': < "$1"', [place.file("secret/key")]);
    await shell(place.mark("link"), ': < "$1"', [place.file("link")]);
    await saker.alert("read of the secret", place.mark("direct"));
    const { output_fields } = await saker.alert("read of the secret", place.mark("link"));
    assertEquals(output_fields["fd.name"], place.file("secret/key"));
    await eventually("the opens to be counted", async () => {
      const now = (await passedOver(saker)).by_type.openat ?? 0;
      return now - before >= OPENS ? true : undefined;
    });
  },
});

Deno.test({
  name: "without the sieve no open is kept back",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    await using saker = await watched(place, ["-o", "engine.sieve=false"]);
    await shell(place.mark("plain"), READ, [place.file("plain")]);
    await shell(place.mark("direct"), ': < "$1"', [place.file("secret/key")]);
    await saker.alert("read of the secret", place.mark("direct"));
    assert((await passedOver(saker)).events === 0, "nothing is passed over");
  },
});
