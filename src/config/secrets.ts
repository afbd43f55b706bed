// What of a configuration is nobody's business: a value and its key come in, what may be shown
// goes out. In doubt less is shown: neither what sounds like a secret, nor headers, and of an
// address its host alone.

/** What stands in a secret's place. */
export const NOT_SHOWN = "(not shown)";

/** A key whose value opens something; files that hold it may be named. */
const SECRET_KEY =
  /(^|[._-])(token|password|passwd|secret|passphrase|api_?key|private_?key|credentials?)s?$/i;
/** Their names may be shown, their values may be of any kind. */
const HEADERS_KEY = /(^|[._])(custom_)?headers$/i;
/** Keys whose text is for somebody else to read: where it is no map, nobody knows what is in it. */
const FOREIGN_KEY = /(^|[._])(init_config|open_params)$/i;

/** Whether the value of a dotted key is a secret as a whole. */
export function isSecret(key: string): boolean {
  return SECRET_KEY.test(key);
}

/** A value as it may be shown. */
export function shownValue(key: string, value: unknown): unknown {
  if (value === undefined || value === null || value === "") return value;
  if (isSecret(key)) return NOT_SHOWN;
  if (typeof value === "string") {
    return FOREIGN_KEY.test(key) && !isPath(value) ? NOT_SHOWN : shownText(value);
  }
  if (typeof value !== "object") return value;
  if (Array.isArray(value)) {
    return HEADERS_KEY.test(key) ? value.map(headerOf) : value.map((one) => shownValue(key, one));
  }
  const isHeaders = HEADERS_KEY.test(key);
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) =>
      [name, isHeaders ? NOT_SHOWN : shownValue(`${key}.${name}`, inner)] as const
    ),
  );
}

/** The name of a secret and its colon, then all that follows. */
const BEHIND_SECRET =
  /([\w.-]*(?:token|password|passwd|secret|passphrase|api_?key)s?["']?\s*[:=]).*$/is;

/** An option with its value, and what is said of its key or of a part of that: whatever the value
 * holds, that stands last. */
const OPTION = /-o ([^\s=]+)=.*?(?:.*: (\1(?:[.[][^\s:]*)?): (.*))?$/s;

function optionOf(_all: string, key: string, told?: string, reason?: string): string {
  if (reason === undefined) return `-o ${key}`;
  return told === key ? `-o ${key}: ${reason}` : `-o ${key}: ${told}: ${reason}`;
}

/** A text as it may be shown: of addresses in it their host alone, of options their
 * key and what is amiss with it, and nothing behind a key that sounds like a secret. */
export function shownText(text: string): string {
  return text
    .replace(OPTION, optionOf)
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/)(?:[^\s"'/@]*@)?([^\s"'/?#]*)([^\s"']*)/gi, addressOf)
    .replace(BEHIND_SECRET, `$1 ${NOT_SHOWN}`);
}

function addressOf(_all: string, scheme: string, host: string, rest: string): string {
  return rest === "" || rest === "/" ? `${scheme}${host}${rest}` : `${scheme}${host}/${NOT_SHOWN}`;
}

function headerOf(header: unknown): unknown {
  return typeof header === "string"
    ? `${header.replace(/[:=].*$/s, "")}: ${NOT_SHOWN}`
    : shownValue("headers", header);
}

function isPath(text: string): boolean {
  return /^\/[^\s?=]*$/.test(text);
}
