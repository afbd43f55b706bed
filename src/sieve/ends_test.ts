// The sets of addresses and ports hold exactly where the atoms do that they were made of.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { codeOf } from "../events/table.ts";
import { ipText } from "../fields/text/addresses.ts";
import { Chance } from "../rules/check/condition_fixture.ts";
import type { Atom, Node } from "../rules/check/condition.ts";
import { loadTexts, ruleText } from "../rules/load_fixture.ts";
import { deriveGuards } from "./derive.ts";
import { describeSieve } from "./describe.ts";
import { endFormula, ENDS, EndSets } from "./ends.ts";
import { endCheck, V6 } from "./ends_chance_fixture.ts";
import { sieveFindings } from "./lint.ts";
import { Verdict } from "./table.ts";

const CONNECT = codeOf("SOCKET_CONNECT_X");

function atomOf(condition: string): Atom | undefined {
  const text = ruleText("r", JSON.stringify(`evt.type = connect and ${condition}`));
  const { enabled } = loadTexts([text]);
  const find = (node: Node): Atom | undefined => {
    if (node.kind === "atom") return node.atom.left.text === "evt.type" ? undefined : node.atom;
    if (node.kind === "not") return find(node.child);
    return node.kind === "and" || node.kind === "or"
      ? node.children.map(find).find((atom) => atom !== undefined)
      : undefined;
  };
  return enabled[0] === undefined ? undefined : find(enabled[0].node);
}

/** Whether the first set of `sets` has a value, by the words that are handed to the addon. */
function has(sets: EndSets, value: Uint8Array | number): boolean {
  const [count, , v4, v6, ports, ...words] = sets.words();
  strictEqual(count, 1);
  const sizes = [v4!, v6!, ports!];
  const widths = [1, 4, 1];
  const is = typeof value === "number" ? 2 : value.length === 4 ? 0 : 1;
  const bytes = typeof value === "number"
    ? [value >> 24, value >> 16 & 255, value >> 8 & 255, value & 255]
    : [...value];
  const wanted = bytes.reduce((sum, byte) => sum << 8n | BigInt(byte), 0n);
  let at = 0;
  for (const [kind, size] of sizes.entries()) {
    for (let range = 0; range < size; range++) {
      const read = () => {
        let bound = 0n;
        for (let word = 0; word < widths[kind]!; word++) {
          bound = bound << 32n | BigInt(words[at++]!);
        }
        return bound;
      };
      const [from, to] = [read(), read()];
      if (kind === is && from <= wanted && wanted <= to) return true;
    }
  }
  return false;
}

/** Addresses near those that rules name, and any. */
function addressByChance(chance: Chance): Uint8Array {
  const any = () => chance.of([0, 0, 0, 1, 2, 10, 127, 255, chance.below(256)]);
  if (chance.below(3) === 0) return Uint8Array.from({ length: 4 }, any);
  if (chance.below(4) === 0) return Uint8Array.from(chance.of(V6)[1]);
  const start = chance.of([
    [],
    new Array(12).fill(0),
    [...new Array(10).fill(0), 255, 255],
    [0xfe, 0x80, 0, 0, 0, 0, 0, 0],
    [0x20, 1, 0x0d, 0xb8],
    new Array(10).fill(0),
  ]);
  return Uint8Array.from({ length: 16 }, (_, at) => start[at] ?? any());
}

Deno.test("a set of ends holds of the values that its atom holds of, and of no other", () => {
  const chance = new Chance(11);
  let held = 0;
  let tried = 0;
  for (let round = 0; round < 600; round++) {
    const condition = endCheck(chance);
    const atom = atomOf(condition);
    if (atom === undefined) continue;
    const sets = new EndSets();
    const formula = endFormula(atom, false, CONNECT, sets);
    if (formula?.kind !== "number" || formula.test.kind !== "among") continue;
    const isList = ["either", "both"].includes(ENDS[formula.test.param]!);
    const given = (value: string | number) => (isList ? [value] : value) as never;
    for (let index = 0; index < 40; index++) {
      const ip = addressByChance(chance);
      const port = chance.of([0, 1, 2, 21, 22, 23, 79, 8080, 65_535, chance.below(65_536)]);
      const value: Uint8Array | number = formula.test.form === "port" ? port : ip;
      const holds: boolean = atom.test(
        given(typeof value === "number" ? value : ipText(value)),
        undefined,
      );
      strictEqual(has(sets, value), holds, `${condition} of ${value}`);
      tried++;
      if (holds) held++;
    }
  }
  ok(tried > 10_000 && held > tried / 10 && held < tried * 9 / 10, `${held} of ${tried}`);
});

Deno.test("deriveGuards asks for ends where the event tells them, and only over captures", () => {
  const { enabled } = loadTexts([ruleText(
    "r",
    JSON.stringify(
      'evt.type in (connect, accept, sendto) and fd.typechar in (4, 6) and fd.net != "127.0.0.0/8"',
    ),
  )]);
  const verdicts = (ends?: EndSets) =>
    ["SOCKET_CONNECT_X", "SOCKET_ACCEPT_5_X", "SOCKET_SENDTO_X"].map((id) =>
      deriveGuards(enabled, ends && { ends })[codeOf(id)]!.verdict
    );
  deepStrictEqual(verdicts(), [Verdict.Keep, Verdict.Keep, Verdict.Keep]);
  deepStrictEqual(verdicts(new EndSets()), [Verdict.Ask, Verdict.Ask, Verdict.Keep]);
});

Deno.test("describeSieve and sieveFindings say what is asked of ends", () => {
  const { enabled } = loadTexts([
    ruleText(
      "ends",
      JSON.stringify(
        'evt.type = connect and fd.snet in ("10.0.0.0/8", "192.168.0.0/16") and fd.sport >= 1024' +
          " and fd.typechar in (4, 6) and not fd.cip = 10.0.0.1 and fd.l4proto = udp",
      ),
    ),
    ruleText("any", "evt.type = accept4 and proc.name = sh"),
  ]);
  const lines = describeSieve(enabled);
  const at = lines.indexOf("connect, over captures: dropped unless one of these holds (1 rules):");
  ok(at > 0, lines.join("\n"));
  const parts = lines[at + 1]!.replace("  - ", "").split("; ").sort();
  deepStrictEqual(parts, [
    "a socket of kind ipv4 or ipv6",
    "client's address not among 10.0.0.1",
    "protocol = udp",
    "server's address among 10.0.0.0/8, 192.168.0.0/16",
    "server's port among 1024 to 65535",
  ]);
  const findings = sieveFindings(enabled).map(({ rule, reason }) => `${rule.name}: ${reason}`);
  strictEqual(findings.length, 1, findings.join("\n"));
  ok(/^any: every accept4 is judged in full.*address or a port/.test(findings[0]!), findings[0]);
});
