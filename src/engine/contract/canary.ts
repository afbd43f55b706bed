// The rule by which a canary is known (src/cli/start/canary.ts); it watches nobody but saker.
export const CANARY_RULE = "saker internal: canary";
