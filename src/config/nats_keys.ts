// The keys of what goes to NATS: how a server is reached, which others use too, and the output's.
import { parseNatsUrl } from "./address.ts";
import { parseInterval } from "./interval.ts";
import { map } from "./shape.ts";
import { bool, checkedText, integer, sequence, text } from "./values.ts";

const DURATION = "a duration such as 7d or 2m";
const URLS = "nats://HOST[:PORT] or tls://HOST[:PORT], without a user";

export const isNatsUrl = (value: string): boolean => parseNatsUrl(value) !== undefined;

const name = (initial: string) =>
  checkedText(
    initial,
    (value) => /^[A-Za-z0-9_-]{1,128}$/.test(value),
    "a name of A-Z a-z 0-9 _ -",
  );

const duration = (initial: string) =>
  checkedText(initial, (value) => value === "" || parseInterval(value) !== undefined, DURATION);

/** How a server is reached and who we are there. */
export const natsAccess = {
  url: sequence(checkedText("nats://127.0.0.1:4222", isNatsUrl, URLS))
    .default(["nats://127.0.0.1:4222"]),
  creds_file: text(""),
  nkey_file: text(""),
  user: text(""),
  password_file: text(""),
  token_file: text(""),
  ca_cert: text(""),
  client_cert: text(""),
  client_key: text(""),
};

export const natsOutput = map({
  enabled: bool(false),
  ...natsAccess,
  stream: name("SAKER"),
  subject: checkedText(
    "saker.alerts",
    (value) => /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(value) && value.length <= 128,
    "a subject without * and >",
  ),
  timeout: integer(0, { min: 0, max: 600_000 }),
  hosts_bucket: name("saker_hosts"),
  presence_every: duration("30s"),
  // What the stream is made with where it is not there.
  max_age: duration("7d"),
  max_bytes: integer(0, { min: 0, max: Number.MAX_SAFE_INTEGER }),
  replicas: integer(1, { min: 1, max: 5 }),
  duplicate_window: duration("2m"),
});
