// For tests: alerts as JSON, with all that stands in them unless said otherwise.
import type { FormatOptions } from "./format.ts";

export const JSON_FORMAT: FormatOptions = {
  json: true,
  isoTime: false,
  outputProperty: true,
  messageProperty: false,
  outputFieldsProperty: true,
  tagsProperty: true,
  colour: false,
};
