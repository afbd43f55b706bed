// For tests: alerts as JSON, with all that stands in them unless said otherwise.
import { type FormatOptions, WHOLE_JSON } from "./format.ts";

export const JSON_FORMAT: FormatOptions = { ...WHOLE_JSON, messageProperty: false };
