// The keys of `rollout`: rules from elsewhere (docs/rollout.md). All are saker's own.
import { parseInterval } from "./interval.ts";
import { checkedText, sequence, text } from "./values.ts";
import { map, word } from "./shape.ts";

const LEAST_MS = 1_000;

export const rolloutKeys = map({
  source: checkedText(
    "",
    (value) => value === "" || (/^https?:\/\/./.test(value) && URL.canParse(value)),
    "a URL, https://… or http://…",
  ),
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
