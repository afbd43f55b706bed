// A kubeconfig file, as kubectl has it: its text comes in, where its current context leads and what
// is shown there goes out, or what is wrong with it. Programs that make tokens are not run.
import { parse } from "yaml";

/** A file's name, relative to that of the kubeconfig, or a text. */
export interface Shown {
  readonly file?: string;
  readonly text?: string;
}

export interface Kubeconfig {
  readonly server: string;
  readonly serverName: string;
  readonly authorities: Shown;
  readonly token: Shown;
  readonly certificate: Shown;
  readonly key: Shown;
}

export function readKubeconfig(text: string): Kubeconfig | { readonly error: string } {
  let root: unknown;
  try {
    root = parse(text, { maxAliasCount: 100 });
  } catch {
    // What the library says quotes the text, which holds secrets.
    return { error: "is no YAML" };
  }
  const current = textAt(root, "current-context");
  if (current === "") return { error: "has no current-context" };
  const context = named(root, "contexts", current, "context");
  if (context === undefined) return { error: `has no context "${current}"` };
  const cluster = named(root, "clusters", textAt(context, "cluster"), "cluster");
  const user = named(root, "users", textAt(context, "user"), "user");
  if (cluster === undefined) return { error: `has no cluster for its context "${current}"` };
  if (at(cluster, "insecure-skip-tls-verify") === true) {
    return { error: "wants TLS not to be verified, which saker does not do" };
  }
  if (at(user, "exec") !== undefined || at(user, "auth-provider") !== undefined) {
    return {
      error: "names a program that makes tokens, which saker does not run: a token, a " +
        "tokenFile or a client certificate is of use",
    };
  }
  return {
    server: textAt(cluster, "server"),
    serverName: textAt(cluster, "tls-server-name"),
    authorities: shown(cluster, "certificate-authority"),
    token: { file: textAt(user, "tokenFile"), text: textAt(user, "token") },
    certificate: shown(user, "client-certificate"),
    key: shown(user, "client-key"),
  };
}

/** `KEY` names a file, `KEY-data` holds it in base64. */
function shown(of: unknown, key: string): Shown {
  const data = textAt(of, `${key}-data`);
  if (data === "") return { file: textAt(of, key) };
  try {
    return { text: atob(data.replace(/\s/g, "")) };
  } catch {
    return { text: "" };
  }
}

function named(root: unknown, list: string, name: string, key: string): unknown {
  const all = at(root, list);
  if (!Array.isArray(all)) return undefined;
  return at(all.find((one) => textAt(one, "name") === name), key);
}

function at(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}

function textAt(value: unknown, key: string): string {
  const found = at(value, key);
  return typeof found === "string" ? found : "";
}
