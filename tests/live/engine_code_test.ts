// The engine's thread begins with the code that V8 made of it when the executable was built; where
// that is not its runtime's, it is compiled, and said so.
import { writeCapture } from "../capture_file.ts";
import { assert, assertEquals } from "./expect.ts";
import { SAKER } from "./saker.ts";
import { Place } from "./trigger.ts";

const RULES = `- rule: told
  desc: a file is opened
  condition: evt.type = openat and fd.name = /tmp/told
  output: told
  priority: INFO
`;
/** Bytes 1 to 3 of a piece of kept code, whatever the version; V8's version follows (V8,
 * src/snapshot/code-serializer.h: magic, version, length of the text, flags, checksum, length). */
const MAGIC = [0x06, 0xde, 0xc0];
const VERSION_AT = 4;
const SOURCE_LENGTH_AT = 8;
const LENGTH_AT = 20;
const HEADER_BYTES = 32;
/** What the engine's text and code have at the least and at the most. */
const LENGTHS = [500_000, 5_000_000] as const;

Deno.test("the engine's code is taken as built, made anew where it is another V8's", async () => {
  await using place = new Place();
  const [capture, rules, other] = ["c.scap", "r.yaml", "saker"].map((name) => place.file(name));
  writeCapture(capture!, [{ path: "/tmp/told" }]);
  await Deno.writeTextFile(rules!, RULES);
  const whole = await replay(SAKER, capture!, rules!);
  assert(!whole.errors.includes("another runtime"), whole.errors);

  const bytes = await Deno.readFile(SAKER);
  const found = codesIn(bytes);
  assertEquals(found.length, 1);
  bytes[found[0]! + VERSION_AT]! ^= 0xff;
  await Deno.writeFile(other!, bytes, { mode: 0o755 });
  const damaged = await replay(other!, capture!, rules!);
  assert(damaged.errors.includes("the engine's code is of another runtime"), damaged.errors);
  for (const { code, rules } of [whole, damaged]) {
    assertEquals(code, 0);
    assertEquals(rules, ["told"]);
  }
});

async function replay(program: string, capture: string, rules: string) {
  const args = ["replay", capture, "-r", rules, "-o", "json_output=true"];
  const { code, stdout, stderr } = await new Deno.Command(program, { args }).output();
  const [alerts, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  const lines = alerts!.split("\n").filter((line) => line.startsWith("{"));
  return { code, errors: errors!, rules: lines.map((line) => JSON.parse(line).rule) };
}

/** Where code as V8 keeps it begins in a file. */
function codesIn(file: Uint8Array): number[] {
  const view = new DataView(file.buffer, file.byteOffset);
  const fits = (length: number) => length > LENGTHS[0] && length < LENGTHS[1];
  const found = [];
  for (let at = file.indexOf(MAGIC[2]!); at !== -1; at = file.indexOf(MAGIC[2]!, at + 1)) {
    const start = at - 3;
    if (start < 0 || start + HEADER_BYTES > file.length) continue;
    if (file[at - 1] !== MAGIC[1] || file[at - 2] !== MAGIC[0]) continue;
    const lengths = [SOURCE_LENGTH_AT, LENGTH_AT].map((off) => view.getUint32(start + off, true));
    if (lengths.every(fits)) found.push(start);
  }
  return found;
}
