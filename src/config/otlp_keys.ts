// The keys of alerts as OpenTelemetry logs: which server, by which of the protocol's ways, who we
// are there, and what is said of this host.
import { map, texts } from "./shape.ts";
import { bool, checkedText, choice, integer, text } from "./values.ts";

const ENDPOINT = "http://HOST[:PORT] or https://HOST[:PORT], for HTTP with a path behind it";

/** "" is the collector's usual place. What may hold a secret is refused where no value is told. */
function isEndpoint(value: string): boolean {
  if (value === "") return true;
  const url = /^https?:\/\/[^\s/]/.test(value) ? URL.parse(value) : null;
  return url !== null && url.port !== "0";
}

export const otlpOutput = map({
  enabled: bool(false),
  protocol: choice("http/protobuf", ["http/protobuf", "http/json", "grpc"]),
  endpoint: checkedText("", isEndpoint, ENDPOINT),
  headers: texts,
  header_files: texts,
  bearer_token_file: text(""),
  compression: choice("gzip", ["gzip", "none"]),
  ca_cert: text(""),
  client_cert: text(""),
  client_key: text(""),
  timeout: integer(0, { min: 0, max: 600_000 }),
  resource: texts,
});
