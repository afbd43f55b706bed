// Names of flags, modes and enumerations in event parameters.
import type { Param } from "../../events/table.ts";
import { signalName } from "./names.ts";

/** Names of the bits of `value`; a name whose bits are taken by an earlier one is left out. */
export function flagNames(param: Param, value: number): string {
  const names: string[] = [];
  let left = value;
  for (const flag of param.flags ?? []) {
    const bits = flag.value >>> 0;
    const isSet = bits === 0 ? value === 0 : left !== 0 && (left & bits) >>> 0 === bits;
    if (!isSet) continue;
    left = (left & ~bits) >>> 0;
    names.push(flag.name);
    if (bits === value) break;
  }
  return names.join("|");
}

/** All names of an enumeration's value; some values have two. */
export function valueNames(param: Param, value: number): string {
  const names = (param.flags ?? []).filter((flag) => flag.value >>> 0 === value);
  return names.map((flag) => flag.name).join("|");
}

/** Names of the bits of a file's mode, up to the one that is all of the value. */
export function modeNames(param: Param, value: number): string {
  const names: string[] = [];
  let left = value;
  for (const flag of param.flags ?? []) {
    const bits = flag.value >>> 0;
    if (bits === value) {
      names.push(flag.name);
      break;
    }
    if (bits === 0 || left === 0 || (left & bits) >>> 0 !== bits) continue;
    left = (left & ~bits) >>> 0;
    names.push(flag.name);
  }
  return names.join("|");
}

/** Names of the signals in a set of the first 32. */
export function signalSetText(set: number): string {
  const names: string[] = [];
  for (let bit = 0; bit < 32; bit++) {
    const name = (set >>> bit) & 1 ? signalName(bit + 1) : "";
    if (name !== "") names.push(name);
  }
  return names.join(" ");
}
