// Where saker does otherwise than Falco's k8saudit plugin on purpose, since the plugin harms its
// user: each by name, with what may differ. docs/compare.md tells why.
import type { ComparedAlert, Json } from "./alert_stream.ts";
import type { Difference } from "./differences.ts";

interface Exception {
  readonly name: string;
  readonly fields: RegExp;
  readonly allows: (falco: Json, saker: Json) => boolean;
}

const EXCEPTIONS: readonly Exception[] = [
  {
    name: "users and groups of a securityContext",
    fields: /^ka\.req\.pod\.\w+\.eff_run_as_(user|group)(\[\d+\])?$/,
    allows: () => true,
  },
  {
    name: "ports of registries",
    fields: /^ka\.req\.(pod\.\w+|container)\.image\.repository(\[\d+\])?$/,
    allows: (falco, saker) => JSON.stringify(falco) === JSON.stringify(withoutPort(saker)),
  },
];

/** As the plugin cuts: at the first colon. */
function withoutPort(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutPort);
  return typeof value === "string" ? value.split(":")[0]! : value;
}

/** Names of the exceptions that account for all of a difference; undefined where they do not. */
export function excepted(
  difference: Difference,
  conditionOf: (rule: string) => string,
): readonly string[] | undefined {
  if (difference.kind !== "different") {
    const { rule } = difference.kind === "missing" ? difference.expected : difference.actual;
    return namedIn(conditionOf(rule));
  }
  const { expected, actual, parts } = difference;
  const names = new Set<string>();
  for (const part of parts) {
    if (part === "(output)") continue;
    const found = exceptionOf(part, expected, actual);
    if (found === undefined) return undefined;
    names.add(found.name);
  }
  return names.size === 0 ? undefined : [...names];
}

function exceptionOf(
  part: string,
  expected: ComparedAlert,
  actual: ComparedAlert,
): Exception | undefined {
  return EXCEPTIONS.find(({ fields, allows }) =>
    fields.test(part) && allows(expected.fields.get(part), actual.fields.get(part))
  );
}

/** A rule that asks for such a field may match where Falco's does not, and the other way. */
function namedIn(condition: string): readonly string[] | undefined {
  const words = condition.match(/ka\.[\w.]+(\[\d+\])?/g) ?? [];
  const names = EXCEPTIONS.filter(({ fields }) => words.some((word) => fields.test(word)))
    .map(({ name }) => name);
  return names.length === 0 ? undefined : names;
}
