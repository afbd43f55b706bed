// Which operator each type takes, both ways: every pair of operator and type is accepted or refused
// as the table here says, which was written from the reference, not from the code.
import { deepStrictEqual, strictEqual } from "node:assert";
import { EVENTS, type ParamType } from "../../events/table.ts";
import { type Operator, refusalOf } from "./operators.ts";

const OPERATORS: readonly Operator[] = [
  "=",
  "!=",
  "<",
  "<=",
  ">",
  ">=",
  "contains",
  "icontains",
  "bcontains",
  "startswith",
  "bstartswith",
  "endswith",
  "in",
  "intersects",
  "pmatch",
  "glob",
  "iglob",
  "regex",
  "exists",
];

const NUMBERS = "= != < <= > >= in intersects exists";
const BOOLEANS = "= != in intersects exists";
const STRINGS = "= != < <= > >= contains icontains startswith endswith in intersects pmatch " +
  "glob iglob regex exists";
const BUFFERS = "= != contains bcontains startswith bstartswith endswith in intersects exists";
const ADDRESSES = "= != in intersects exists";

const TABLE: Readonly<Record<ParamType, string>> = {
  NONE: "exists",
  INT8: NUMBERS,
  INT16: NUMBERS,
  INT32: NUMBERS,
  INT64: NUMBERS,
  UINT8: NUMBERS,
  UINT16: NUMBERS,
  UINT32: NUMBERS,
  UINT64: NUMBERS,
  CHARBUF: STRINGS,
  BYTEBUF: BUFFERS,
  ERRNO: NUMBERS,
  SOCKADDR: "exists",
  SOCKTUPLE: "exists",
  FD: NUMBERS,
  PID: NUMBERS,
  FDLIST: "exists",
  FSPATH: STRINGS,
  SYSCALLID: NUMBERS,
  SIGTYPE: NUMBERS,
  RELTIME: NUMBERS,
  ABSTIME: NUMBERS,
  PORT: NUMBERS,
  L4PROTO: "exists",
  SOCKFAMILY: "exists",
  BOOL: BOOLEANS,
  IPV4ADDR: ADDRESSES,
  DYN: "exists",
  FLAGS8: NUMBERS,
  FLAGS16: NUMBERS,
  FLAGS32: NUMBERS,
  UID: "exists",
  GID: "exists",
  DOUBLE: NUMBERS,
  SIGSET: "exists",
  CHARBUFARRAY: "exists",
  CHARBUF_PAIR_ARRAY: "exists",
  IPV4NET: ADDRESSES,
  IPV6ADDR: ADDRESSES,
  IPV6NET: ADDRESSES,
  IPADDR: ADDRESSES,
  IPNET: ADDRESSES,
  MODE: NUMBERS,
  FSRELPATH: STRINGS,
  ENUMFLAGS8: NUMBERS,
  ENUMFLAGS16: NUMBERS,
  ENUMFLAGS32: NUMBERS,
  FD32: "exists",
  PID32: "exists",
};

for (const [type, accepted] of Object.entries(TABLE) as [ParamType, string][]) {
  Deno.test(`refusalOf() lets ${type} be compared by what the reference says alone`, () => {
    const taken = OPERATORS.filter((operator) =>
      refusalOf({ operator, modifier: undefined }, type, false) === undefined
    );
    deepStrictEqual(taken.toSorted(), accepted.split(" ").toSorted());
  });
}

Deno.test("refusalOf() lets lists be compared by in, intersects and exists alone", () => {
  for (const type of Object.keys(TABLE) as ParamType[]) {
    const taken = OPERATORS.filter((operator) =>
      refusalOf({ operator, modifier: undefined }, type, true) === undefined
    );
    const isListed = ["CHARBUF", "UINT64", "RELTIME", "ABSTIME", "BOOL", "IPADDR", "IPNET"]
      .includes(type);
    deepStrictEqual(taken, isListed ? ["in", "intersects", "exists"] : ["exists"], type);
  }
});

Deno.test("refusalOf() knows the type of every parameter of the event table", () => {
  for (const { params } of EVENTS) {
    for (const { type } of params) strictEqual(type in TABLE, true, type);
  }
});

Deno.test("refusalOf() says it in Falco's words", () => {
  const refusal = (operator: Operator, type: ParamType, isList = false) =>
    refusalOf({ operator, modifier: undefined }, type, isList);
  strictEqual(refusal("contains", "PORT"), "'contains' operator not supported for numeric filters");
  strictEqual(
    refusal("bcontains", "CHARBUF"),
    "'bcontains' operator not supported for string filters",
  );
  strictEqual(refusal("glob", "BYTEBUF"), "'glob' operator not supported for buffer filters");
  strictEqual(
    refusal("<", "IPADDR"),
    "'<' operator not supported for ip address and network filters",
  );
  strictEqual(refusal("=", "CHARBUF", true), "'=' operator not supported list filters");
  strictEqual(refusal("=", "UID"), "'=' operator not supported for type 'UID'");
});
