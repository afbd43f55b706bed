// OTLP's messages in JSON, as the specification maps them from protobuf: names in lowerCamelCase,
// integers of 64 bits as texts, enumerations as numbers.
import type { PartialSuccess } from "./otlp_protobuf.ts";
import {
  EVENT_NAME,
  type OtlpAttributes,
  type OtlpRequest,
  type OtlpValue,
} from "./otlp_record.ts";

const encoder = new TextEncoder();

/** An ExportLogsServiceRequest. */
export function encodeJson({ runs, version, observed }: OtlpRequest): Uint8Array<ArrayBuffer> {
  const resourceLogs = runs.map(({ resource, records }) => ({
    resource: { attributes: attributesOf(resource) },
    scopeLogs: [{
      scope: { name: "saker", version },
      logRecords: records.map((record) => ({
        timeUnixNano: String(BigInt.asUintN(64, record.time)),
        observedTimeUnixNano: String(observed),
        severityNumber: record.severityNumber,
        severityText: record.severityText,
        eventName: EVENT_NAME,
        body: { stringValue: record.body.toWellFormed() },
        attributes: attributesOf(record.attributes),
      })),
    }],
  }));
  return encoder.encode(JSON.stringify({ resourceLogs }));
}

function attributesOf(attributes: OtlpAttributes) {
  return attributes.map(([key, value]) => ({ key: key.toWellFormed(), value: valueOf(value) }));
}

/** An AnyValue. */
function valueOf(value: OtlpValue): Readonly<Record<string, unknown>> {
  switch (typeof value) {
    case "string":
      return { stringValue: value.toWellFormed() };
    case "boolean":
      return { boolValue: value };
    case "bigint":
      return { intValue: String(value) };
    case "number":
      return { doubleValue: value };
    default:
      return { arrayValue: { values: value.map(valueOf) } };
  }
}

/** Of an ExportLogsServiceResponse; what is none counts as an empty one, which is success. */
export function partialSuccessIn(text: string): PartialSuccess {
  const partial = objectIn(parsed(text), "partialSuccess");
  const rejected = Number(partial["rejectedLogRecords"] ?? 0);
  return {
    rejected: Number.isSafeInteger(rejected) ? rejected : 0,
    why: String(partial["errorMessage"] ?? ""),
  };
}

/** What a Status says. */
export function statusMessageIn(text: string): string {
  return String(objectIn({ status: parsed(text) }, "status")["message"] ?? "");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function objectIn(all: unknown, key: string): Readonly<Record<string, unknown>> {
  const found = (all as Readonly<Record<string, unknown>> | undefined | null)?.[key];
  return typeof found === "object" && found !== null ? found as Record<string, unknown> : {};
}
