// The names of priorities as Falco writes them.

/** By number, most severe first. */
export const PRIORITY_NAMES: readonly string[] = [
  "Emergency",
  "Alert",
  "Critical",
  "Error",
  "Warning",
  "Notice",
  "Informational",
  "Debug",
];
