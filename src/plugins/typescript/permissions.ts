// What a plugin's thread may do: what its module asks for and what the configuration grants go in;
// what it gets goes out, or a line on what is asked and not granted. Nothing else is ever allowed:
// no programs, no libraries, no writing.

import type { PluginGrants, PluginPermissions } from "../contract.ts";

export const PERMISSION_KINDS = ["net", "read", "env"] as const;
export type PermissionKind = typeof PERMISSION_KINDS[number];

/** As a module exports it: `true` is whatever is granted. */
export type Asked = { readonly [kind in PermissionKind]?: true | readonly string[] };

export const NO_PERMISSIONS: PluginPermissions = { net: [], read: [], env: [] };

/** Reads what a module exported; throws an Error of one line where it cannot be meant. */
export function readAsked(given: unknown): Asked {
  if (given === undefined || given === null) return {};
  if (typeof given !== "object" || Array.isArray(given)) {
    throw new Error('its permissions: expected an object such as { net: ["host:443"] }');
  }
  for (const [kind, wanted] of Object.entries(given)) {
    if (!(PERMISSION_KINDS as readonly string[]).includes(kind)) {
      throw new Error(`it asks for the permission ${shown(kind)}: there are net, read and env`);
    }
    const isList = Array.isArray(wanted) && wanted.every((one) => typeof one === "string");
    if (wanted === true || wanted === undefined || isList) continue;
    throw new Error(`its permissions.${kind}: expected a list of texts, or true`);
  }
  return given as Asked;
}

/** What it gets; throws an Error of one line that names all that is not granted. */
export function permitted(asked: Asked, granted: PluginGrants): PluginPermissions {
  const missing: string[] = [];
  const of = (kind: PermissionKind): readonly string[] => {
    const wanted = asked[kind] ?? [];
    const given = granted[kind] ?? [];
    if (wanted === true) {
      if (given.length === 0) missing.push(kind);
      return given;
    }
    for (const one of wanted) {
      if (!given.some((grant) => COVERS[kind](grant, one))) missing.push(`${kind} ${shown(one)}`);
    }
    return wanted;
  };
  const permissions = { net: of("net"), read: of("read"), env: of("env") };
  if (missing.length > 0) {
    throw new Error(
      `it asks for ${missing.join(", ")}, which plugins[].permissions does not grant`,
    );
  }
  return permissions;
}

/** For the runtime's own check, which is the one that holds. */
export function workerPermissions(
  { net, read, env }: PluginPermissions,
): Deno.PermissionOptionsObject {
  return {
    net: some(net),
    read: some(read),
    env: some(env),
    import: false,
    write: false,
    run: false,
    ffi: false,
    sys: false,
  };
}

function some(list: readonly string[]): false | string[] {
  return list.length === 0 ? false : [...list];
}

const COVERS: Record<PermissionKind, (grant: string, wanted: string) => boolean> = {
  net: (grant, wanted) => grant === wanted || (hostOf(wanted) === grant),
  read: (grant, wanted) => {
    const from = normal(grant);
    const to = normal(wanted);
    return to !== undefined && from !== undefined &&
      (to === from || to.startsWith(from === "/" ? from : `${from}/`));
  },
  env: (grant, wanted) => grant === wanted,
};

/** `[::1]:80` → `[::1]`, `host:80` → `host`. */
function hostOf(address: string): string {
  return address.replace(/:\d+$/, "");
}

/** Absolute, without dots; undefined where it leads out of where it begins. */
function normal(path: string): string | undefined {
  if (!path.startsWith("/") || path.split("/").includes("..")) return undefined;
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  return `/${parts.join("/")}`;
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}
