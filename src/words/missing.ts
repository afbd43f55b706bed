// What stands in texts where a value is missing, as in Falco.
export const MISSING_TEXT = "<NA>";
