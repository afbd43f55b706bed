// What Go's net/url makes of a request's URI: its query's parameters. A part that is wrong makes
// all of it unreadable, as there.
import { bytesOf, rawText } from "../../words/raw_text.ts";

/** First value by parameter; undefined where Go refuses the URI or its query. */
export function queryOf(uri: string): ReadonlyMap<string, string> | undefined {
  const [whole, fragment] = cut(uri, "#");
  // deno-lint-ignore no-control-regex
  if (/[\x00-\x1f\x7f]/.test(whole)) return undefined;
  if (fragment !== undefined && hasBadEscape(fragment)) return undefined;
  const scheme = schemeOf(whole);
  if (scheme === undefined) return undefined;
  const behind = whole.slice(scheme);
  const [path, query = ""] = cut(behind, "?");
  if (!path.startsWith("/")) {
    if (scheme > 0) return parametersOf(query);
    if (path.split("/")[0]!.includes(":")) return undefined;
  }
  const hasHost = path.startsWith("//") && (scheme > 0 || !path.startsWith("///"));
  if (hasHost && !isAuthority(path.slice(2).split("/")[0]!)) return undefined;
  return hasBadEscape(path) ? undefined : parametersOf(query);
}

function parametersOf(query: string): ReadonlyMap<string, string> | undefined {
  const values = new Map<string, string>();
  for (const part of query.split("&")) {
    if (part.includes(";")) return undefined;
    if (part === "") continue;
    const [name, value = ""] = cut(part, "=");
    if (hasBadEscape(name) || hasBadEscape(value)) return undefined;
    const key = decoded(name);
    if (!values.has(key)) values.set(key, decoded(value));
  }
  return values;
}

function cut(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** Characters of a scheme and its colon; 0 without one, undefined where it has no name. */
function schemeOf(uri: string): number | undefined {
  if (uri.startsWith(":")) return undefined;
  return /^[A-Za-z][A-Za-z0-9+.-]*:/.exec(uri)?.[0].length ?? 0;
}

function isAuthority(authority: string): boolean {
  const mark = authority.lastIndexOf("@");
  const host = authority.slice(mark + 1);
  const user = authority.slice(0, Math.max(0, mark));
  if (/[^\w.~!$&'()*+,;=%@:-]/.test(user) || hasBadEscape(user)) return false;
  // Of ASCII only the sign itself may be written as an escape.
  if (/[ \\^`{|}]/.test(host) || /%(?!25|[89A-Fa-f][0-9A-Fa-f])/.test(host)) return false;
  const port = host.startsWith("[") ? host.slice(host.indexOf("]") + 1) : /:.*$/.exec(host)?.[0];
  return port === undefined || port === "" || /^:[0-9]*$/.test(port);
}

function hasBadEscape(text: string): boolean {
  return text.includes("%") && /%(?![0-9A-Fa-f]{2})/.test(text);
}

/** `+` is a blank, `%XX` a byte. */
function decoded(text: string): string {
  const plain = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!plain.includes("%")) return plain;
  const bytes: number[] = [];
  for (const part of plain.split(/(%[0-9A-Fa-f]{2})/)) {
    if (part.startsWith("%")) bytes.push(parseInt(part.slice(1), 16));
    else bytes.push(...bytesOf(part));
  }
  return rawText(Uint8Array.from(bytes));
}
