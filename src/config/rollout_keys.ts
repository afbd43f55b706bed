// The keys of `rollout`: rules and configuration from elsewhere (docs/rollout.md). All are saker's
// own.
import { parseInterval } from "./interval.ts";
import { checkedText, sequence, text } from "./values.ts";
import { map, word } from "./shape.ts";

const LEAST_MS = 1_000;
const URLS = "a URL, https://… or http://…";

const url = checkedText(
  "",
  (value) => value === "" || (/^https?:\/\/./.test(value) && URL.canParse(value)),
  URLS,
);

export const rolloutKeys = map({
  source: url,
  config_source: url,
  public_keys: sequence(word).default([]),
  name: text(""),
  every: checkedText(
    "60s",
    (value) => (parseInterval(value) ?? 0) >= LEAST_MS,
    "a time of at least one second such as 60s",
  ),
  directory: text("/var/lib/saker/rollout"),
  labels: sequence(word).default([]),
  ca_cert: text(""),
  token_file: text(""),
});
