// Ways around a rule, tried one after the other on one saker. In: rules by name, and for each way a
// Python script, the rule that must tell of it and what it must show. Out: a step for each way.
import { assertEquals } from "./expect.ts";
import type { Saker } from "./saker.ts";
import { type Place, python, triggersOf } from "./trigger.ts";

export interface Way {
  readonly name: string;
  readonly rule: string;
  /** Python; the marker is its first argument, others of the test follow. */
  readonly script: string;
  /** Fields of the alert; PLACE stands for the test's own directory. */
  readonly shows?: Readonly<Record<string, unknown>>;
}

/** The exit code of a script whose way does not exist on this kernel or host. */
export const UNSUPPORTED = 77;

/** What scripts begin with. */
export const LIBC = `import ctypes, mmap, os, socket, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
path = sys.argv[2]
def done(result):
    if result >= 0: return result
    error = ctypes.get_errno()
    if error in (1, 22, 38, 93, 94, 95, 97): sys.exit(${UNSUPPORTED})
    sys.exit(os.strerror(error))
`;

/** Writes rules on what the test's own programs do; PLACE stands in conditions too. */
export function rulesOfWays(
  place: Place,
  conditions: Readonly<Record<string, string>>,
  output: string,
): string {
  const file = place.file("rules.yaml");
  const rules = Object.entries(conditions).map(([rule, condition]) => ({
    rule,
    desc: rule,
    condition: `(${condition.replaceAll("PLACE", place.path)}) and ${triggersOf(place.marker)}`,
    output: `${output} %proc.cmdline`,
    priority: "NOTICE",
  }));
  // JSON is YAML.
  Deno.writeTextFileSync(file, JSON.stringify(rules));
  return file;
}

export async function tryWays(
  t: Deno.TestContext,
  { saker, place }: { readonly saker: Saker; readonly place: Place },
  ways: readonly Way[],
  args: readonly string[],
): Promise<void> {
  for (const [index, { name, rule, script, shows = {} }] of ways.entries()) {
    await t.step(name, async (step) => {
      const marker = place.mark(`way${index}-`);
      if (await codeOf(marker, script, args) === UNSUPPORTED) {
        const name = "skipped: this kernel or host has no such way";
        await step.step({ name, ignore: true, fn() {} });
        return;
      }
      const { output_fields: fields } = await saker.alert(rule, marker);
      for (const [field, shown] of Object.entries(shows)) {
        const wanted = typeof shown === "string" ? shown.replaceAll("PLACE", place.path) : shown;
        assertEquals(fields[field], wanted, field);
      }
    });
  }
}

export async function codeOf(
  marker: string,
  script: string,
  args: readonly string[],
): Promise<number> {
  try {
    return (await python(marker, script, args)).code;
  } catch (error) {
    if (String(error).includes(`(${UNSUPPORTED})`)) return UNSUPPORTED;
    throw error;
  }
}
