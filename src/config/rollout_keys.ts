// The keys of `rollout`: rules and configuration from elsewhere (docs/rollout.md). All are saker's
// own.
import { parseInterval } from "./interval.ts";
import { isNatsUrl, natsAccess } from "./nats_keys.ts";
import { map, word } from "./shape.ts";
import { checkedText, sequence, text } from "./values.ts";

const LEAST_MS = 1_000;
const SOURCES = "https://…, http://…, nats://HOST[:PORT] or tls://HOST[:PORT], the last two also " +
  "several with commas between";

/** Addresses of a source that is a nats-server; undefined where it is another one. */
export function natsUrlsOf(source: string): string[] | undefined {
  const urls = source.split(",");
  return urls.every(isNatsUrl) ? urls : undefined;
}

const source = checkedText(
  "",
  (value) =>
    value === "" || natsUrlsOf(value) !== undefined ||
    (/^https?:\/\/./.test(value) && URL.canParse(value)),
  SOURCES,
);

const { url: _, ...access } = natsAccess;

export const rolloutKeys = map({
  source,
  config_source: source,
  public_keys: sequence(word).default([]),
  name: text(""),
  every: checkedText(
    "60s",
    (value) => (parseInterval(value) ?? 0) >= LEAST_MS,
    "a time of at least one second such as 60s",
  ),
  directory: text("/var/lib/saker/rollout"),
  labels: sequence(word).default([]),
  bucket: checkedText(
    "saker_rollout",
    (value) => /^[A-Za-z0-9_-]{1,128}$/.test(value),
    "a name of A-Z a-z 0-9 _ -",
  ),
  ...access,
});
