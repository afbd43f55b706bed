// Alerts to clients of Falco's gRPC interface: the parts of an alert come in, go to the server
// (grpc_service.ts), and from there to each client. It never waits for one.
import { MISSING_TEXT } from "../../words/missing.ts";
import type { GrpcAlert } from "../../engine/host/addon.ts";
import type { Alert } from "../../engine/contract/alert.ts";
import type { Value } from "../../fields/row/field.ts";
import { fieldsOf, formatAlert, type FormatOptions } from "../format/format.ts";
import { type Compose, composeWith, type Message } from "../format/message.ts";
import { clockTime, isoTime } from "../format/time.ts";
import type { GrpcService } from "./grpc_service.ts";
import type { Output } from "./output.ts";

export function composeGrpc(format: FormatOptions): Compose {
  const compose = composeWith((alert) => formatAlert(alert, format));
  return (alert) => ({ ...compose(alert), alert });
}

export function grpcOutput(service: GrpcService, format: FormatOptions): Output {
  return {
    name: "grpc",
    write(messages: readonly Message[]): Promise<void> {
      service.push(messages.map((message) => grpcAlert(message, format)));
      return Promise.resolve();
    },
    // The server outlives the outputs of one configuration: there is nothing to open or close.
    reopen(): void {},
    close(): void {},
    settled: (patienceMs) => service.settled(patienceMs),
    readers: () => service.stats(),
  };
}

const NS_PER_SECOND = 1_000_000_000n;

function grpcAlert({ text, alert }: Message, format: FormatOptions): GrpcAlert {
  const { time, priority, source, rule, hostname, tags = [] } = alert!;
  return {
    seconds: Number(time / NS_PER_SECOND),
    nanos: Number(time % NS_PER_SECOND),
    priority,
    source: source.toWellFormed(),
    rule: rule.toWellFormed(),
    output: text,
    fields: fieldTexts(alert!, format),
    hostname: hostname.toWellFormed(),
    tags: tags.map((tag) => tag.toWellFormed()),
  };
}

/** Names and values; all of them texts, as in Falco. */
function fieldTexts(alert: Alert, format: FormatOptions): string[] {
  const time = format.isoTime ? isoTime(alert.time) : clockTime(alert.time);
  return fieldsOf(alert, format, time)
    .flatMap(([name, value]) => [name.toWellFormed(), valueText(value).toWellFormed()]);
}

/** What the text of an output shows of a value. */
function valueText(value: Value): string {
  if (value === undefined) return MISSING_TEXT;
  if (value instanceof Uint8Array) return decoder.decode(value);
  return Array.isArray(value) ? `(${value.map(valueText).join(",")})` : String(value);
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
