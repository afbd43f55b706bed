// What a value of the configuration may be: a plain value comes in, the value that holds and what
// is wrong go out. A shape is a few functions, made in microseconds: every start makes all of them.

/** What is wrong at a path: keys that nobody knows, or a value that is none of its kind. */
export type Issue =
  | { readonly path: readonly PropertyKey[]; readonly unknown: readonly string[] }
  | {
    readonly path: readonly PropertyKey[];
    /** Holds `%s` where the value goes; else the value is told behind it. */
    readonly expected: string;
    /** Nothing goes on with it. */
    readonly fatal?: boolean;
    /** One value, which has no parts. */
    readonly isScalar?: boolean;
  };

type Hold<T> = (value: unknown, path: readonly PropertyKey[], issues: Issue[]) => T;

export type JsonSchema = Readonly<Record<string, unknown>>;

/** `isOptional`: where nothing is given, there is no value. */
export class Shape<T, IsOptional extends boolean = false> {
  readonly hold: Hold<T>;
  readonly json: () => JsonSchema;
  readonly isOptional: IsOptional;

  constructor(hold: Hold<T>, json: () => JsonSchema, isOptional: IsOptional) {
    this.hold = hold;
    this.json = json;
    this.isOptional = isOptional;
  }

  /** The same with a value where nothing is given. */
  default(initial: T): Shape<T> {
    const hold: Hold<T> = (value, path, issues) =>
      value === undefined ? structuredClone(initial) : this.hold(value, path, issues);
    return new Shape(hold, this.json, false);
  }

  optional(): Shape<T, true> {
    return new Shape(this.hold, this.json, true);
  }

  /** The same with what `convert` makes of a value that holds. */
  becomes<U>(convert: (held: T) => U): Shape<U> {
    const hold: Hold<U> = (value, path, issues) => {
      const before = issues.length;
      const held = this.hold(value, path, issues);
      return issues.length > before ? held as never : convert(held);
    };
    return new Shape(hold, this.json, false);
  }

  /** What holds where nothing is given. */
  initial(): T {
    return this.hold({}, [], []);
  }
}

// deno-lint-ignore no-explicit-any -- Any shape; `unknown` would not take a narrower one.
export type AnyShape = Shape<any, boolean>;
export type Shapes = Readonly<Record<string, AnyShape>>;

export type Held<S> = S extends Shape<infer T, boolean> ? T : never;

type OptionalKeys<S extends Shapes> = {
  [Key in keyof S]: S[Key] extends Shape<unknown, true> ? Key : never;
}[keyof S];

/** The values of a map of these shapes. */
export type HeldMap<S extends Shapes> =
  & { -readonly [Key in Exclude<keyof S, OptionalKeys<S>>]: Held<S[Key]> }
  & { -readonly [Key in OptionalKeys<S>]?: Held<S[Key]> | undefined };

/** A scalar, which is a text until `convert` has taken it; undefined where it does not. */
export function scalar<T>(
  convert: (text: string) => T | undefined,
  expected: string,
  json: JsonSchema,
  fatal: boolean,
): Shape<T> {
  return new Shape<T>(
    (value, path, issues) => {
      const converted = typeof value === "string" ? convert(value.trim()) : undefined;
      if (converted === undefined) issues.push({ path, expected, fatal, isScalar: true });
      return converted as T;
    },
    () => json,
    false,
  );
}

/** A text that stands for itself. */
export const word: Shape<string> = new Shape<string>(
  (value, path, issues) => {
    if (typeof value !== "string") issues.push({ path, expected: "expected a text" });
    return value as string;
  },
  () => ({ type: "string" }),
  false,
);

/** A value that is left as it is. */
export const anything: Shape<unknown> = new Shape<unknown>((value) => value, () => ({}), false);

/** A list; `listOf` makes one of whatever is given. */
export function list<T>(item: Shape<T>, listOf: (value: unknown) => unknown[]): Shape<T[]> {
  return new Shape<T[]>(
    (value, path, issues) => listOf(value).map((one, at) => item.hold(one, [...path, at], issues)),
    () => ({ type: "array", items: item.json() }),
    false,
  );
}

/** A map of known keys; an empty value counts as an empty map. */
export function map<S extends Shapes>(shapes: S): Shape<HeldMap<S>> {
  const entries = Object.entries(shapes);
  return new Shape<HeldMap<S>>(
    (value, path, issues) => {
      const given = mapOf(value, path, issues);
      const held: Record<string, unknown> = {};
      for (const [key, shape] of entries) {
        const one = Object.hasOwn(given, key) ? given[key] : undefined;
        if (one !== undefined || !shape.isOptional) {
          held[key] = shape.hold(one, [...path, key], issues);
        }
      }
      const unknown = Object.keys(given).filter((key) => !Object.hasOwn(shapes, key));
      if (unknown.length > 0) issues.push({ path, unknown });
      return held as HeldMap<S>;
    },
    () => ({
      type: "object",
      properties: Object.fromEntries(entries.map(([key, shape]) => [key, shape.json()])),
      additionalProperties: false,
    }),
    false,
  );
}

/** A map of any keys to texts. */
export const texts: Shape<Record<string, string>> = new Shape<Record<string, string>>(
  (value, path, issues) => {
    const held: Record<string, string> = {};
    for (const [key, one] of Object.entries(mapOf(value, path, issues))) {
      if (key !== "__proto__") held[key] = word.hold(one, [...path, key], issues);
    }
    return held;
  },
  () => ({
    type: "object",
    propertyNames: { type: "string" },
    additionalProperties: { type: "string" },
  }),
  false,
);

/** A text or a map; what is wrong inside of the map is told of the whole where `expected` says
 * how. */
export function textOr<T>(inner: Shape<T>, expected?: string): Shape<string | T> {
  return new Shape<string | T>(
    (value, path, issues) => {
      if (typeof value === "string") return value;
      const wrong: Issue[] = [];
      const held = inner.hold(value, path, wrong);
      if (wrong.length > 0 && expected !== undefined) {
        issues.push({ path, expected });
      } else issues.push(...wrong);
      return held;
    },
    () => ({ anyOf: [word.json(), inner.json()] }),
    false,
  );
}

function mapOf(
  value: unknown,
  path: readonly PropertyKey[],
  issues: Issue[],
): Readonly<Record<string, unknown>> {
  if (value === "" || value === undefined) return {};
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  issues.push({ path, expected: "expected a map of keys" });
  return {};
}
