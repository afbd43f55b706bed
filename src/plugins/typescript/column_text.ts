// The values of a column, per event, as JSON shows them.
import type { PluginColumn, PluginField } from "../contract.ts";

export function shownValues(
  { type }: PluginField,
  { counts, ends, bytes }: PluginColumn,
): (string | number | boolean)[][] {
  const decoder = new TextDecoder();
  let [at, from] = [0, 0];
  const next = (): string | number | boolean => {
    const end = ends[at++]!;
    const value = bytes.slice(from, end);
    from = end;
    switch (type) {
      case "string":
        return decoder.decode(value);
      case "bool":
        return value[0] !== 0;
      case "ipaddr":
        return addressText(value);
      case "ipnet":
        return `${addressText(value.subarray(0, -1))}/${value.at(-1)}`;
      default: {
        const number = value.reduceRight((sum, byte) => sum << 8n | BigInt(byte), 0n);
        return number <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(number) : String(number);
      }
    }
  };
  return [...counts].map((count) => Array.from({ length: count }, next));
}

function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, at) => bytes[at * 2]! << 8 | bytes[at * 2 + 1]!);
  return groups.map((group) => group.toString(16)).join(":");
}
