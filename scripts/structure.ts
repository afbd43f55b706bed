// Checks that the tree keeps the rules of ARCHITECTURE.md. Out: one line for each breach, exit 1
// where there is one.
// deno-lint-ignore-file no-console -- A script talks to the person who started it.
import { checkCrates, checkUnsafe } from "./structure/crates.ts";
import { checkDocuments, checkRoomMap } from "./structure/documents.ts";
import { checkCycles, checkDeadFiles, checkRoomOrder } from "./structure/imports.ts";
import { checkByteReaders, checkStateWriters } from "./structure/invariants.ts";
import { checkHabits, checkNames, checkOpenings, checkSizes } from "./structure/text.ts";
import { type Check, readTree } from "./structure/tree.ts";

const CHECKS: readonly Check[] = [
  checkRoomOrder,
  checkCycles,
  checkCrates,
  checkUnsafe,
  checkDeadFiles,
  checkSizes,
  checkNames,
  checkOpenings,
  checkHabits,
  checkByteReaders,
  checkStateWriters,
  checkRoomMap,
  checkDocuments,
];

function main(): number {
  const tree = readTree(new URL("..", import.meta.url).pathname);
  const breaches = CHECKS.flatMap((check) => check(tree));
  for (const { path, line, message } of breaches) {
    console.log(`${path}${line > 0 ? `:${line}` : ""}: ${message}`);
  }
  console.log(`${tree.size} files, ${breaches.length} breaches`);
  return breaches.length > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(main());
