// A bundle is taken as it was signed or not at all: whatever is changed in its bytes, whoever has
// signed it, and whenever it comes.
import { deepStrictEqual, match, ok, rejects, strictEqual, throws } from "node:assert";
import { BundleRefused, type Contents, readContents, writeContents } from "./contents.ts";
import { BUNDLE_BYTES_MAX } from "./contents.ts";
import { makeBundle, openBundle } from "./envelope.ts";
import { judge, type JudgeOptions, SKEW_MS } from "./judge.ts";
import { makeKeys, type PrivateKey, type PublicKey, readPrivateKey } from "./keys.ts";
import { readPublicKeys, sign } from "./keys.ts";
import { outsideOf, placeOf } from "./share.ts";
import { withBundle } from "./with_bundle.ts";

const NOW = Date.parse("2026-11-27T09:00:00.000Z");
const DAY = 86_400_000;

const CONTENTS: Contents = {
  kind: "rules",
  name: "fleet",
  serial: 7,
  issuedMs: NOW,
  expiresMs: NOW + DAY,
  share: 100,
  hosts: [],
  labels: [],
  combine: "after",
  files: [{ name: "a.yaml", text: "- list: ä\n  items: []\n" }],
};

async function pair(): Promise<{ key: PrivateKey; trusted: PublicKey[] }> {
  const { privatePem, publicPem } = await makeKeys();
  return { key: await readPrivateKey(privatePem), trusted: await readPublicKeys(publicPem) };
}

const why = (wanted: string) => (error: unknown) => {
  ok(error instanceof BundleRefused, String(error));
  strictEqual(error.why, wanted);
  return true;
};

/** Any text, signed well. */
async function signedText(text: string, key: PrivateKey): Promise<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  const head = `saker-bundle 1 ${key.publicKey.id}`;
  const signature = await sign(key, encoder.encode(`${head}\n${text}`));
  return encoder.encode(`${head} ${signature.toHex()}\n${text}`);
}

Deno.test("a bundle comes back as it was signed", async () => {
  const { key, trusted } = await pair();
  const bundle = await openBundle(await makeBundle(CONTENTS, key), trusted);
  deepStrictEqual(bundle.contents, CONTENTS);
  strictEqual(bundle.keyId, key.publicKey.id);
});

Deno.test("a bundle of which any bit is another is refused", async () => {
  const { key, trusted } = await pair();
  const bytes = await makeBundle(CONTENTS, key);
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const other = bytes.slice();
      other[at]! ^= 1 << bit;
      await rejects(openBundle(other, trusted), BundleRefused, `byte ${at}, bit ${bit}`);
    }
  }
});

Deno.test("a bundle that is cut anywhere, or goes on, is refused", async () => {
  const { key, trusted } = await pair();
  const bytes = await makeBundle(CONTENTS, key);
  for (let length = 0; length < bytes.length; length++) {
    await rejects(openBundle(bytes.slice(0, length), trusted), BundleRefused, `${length}`);
  }
  await rejects(openBundle(new Uint8Array([...bytes, 10]), trusted), why("bad_signature"));
});

Deno.test("a bundle of another key is refused, also under the known id", async () => {
  const [{ key, trusted }, other] = [await pair(), await pair()];
  const bytes = await makeBundle(CONTENTS, other.key);
  await rejects(openBundle(bytes, trusted), why("unknown_key"));
  const posing = { ...other.key, publicKey: key.publicKey };
  await rejects(openBundle(await makeBundle(CONTENTS, posing), trusted), why("bad_signature"));
  // Both are trusted while keys are exchanged.
  ok(await openBundle(bytes, [...trusted, ...other.trusted]));
});

Deno.test("what is signed well and not written as saker writes it is refused", async () => {
  const { key, trusted } = await pair();
  const text = writeContents(CONTENTS);
  const hostile = [
    "",
    "null",
    "[]",
    "{}",
    ` ${text}`,
    `${text}\n`,
    text.replace('"serial":7', '"serial":6,"serial":7'),
    text.replace('"serial":7', '"serial":7.0'),
    text.replace('"serial":7', '"serial":"7"'),
    text.replace('"serial":7', '"serial":-7'),
    text.replace('"serial":7', '"serial":1e300'),
    text.replace('"share":100', '"share":101'),
    text.replace('"share":100', '"share":-0'),
    text.replace('"name":"fleet"', '"name":"../fleet"'),
    text.replace('"a.yaml"', '"/etc/passwd"'),
    text.replace('"a.yaml"', '"a\\u002eyaml"'),
    text.replace("{", '{"__proto__":{},'),
    text.replace('"files":', '"more":1,"files":'),
    text.replace('"hosts":[]', `"hosts":[${Array(257).fill('"h"').join()}]`),
    text.replace('"hosts":[]', '"hosts":[["h"]]'),
    text.replace('"kind":"rules"', '"kind":"program"'),
    text.replace(/("files":\[)(.*)(\])/, "$1$2,$2$3"),
    "[".repeat(100_000),
  ];
  for (const one of hostile) {
    ok(one !== text);
    await rejects(openBundle(await signedText(one, key), trusted), why("malformed"), one);
  }
  throws(() => readContents(text.replace("ä", "\\ud800")), why("malformed"));
  ok(await openBundle(await signedText(text, key), trusted));
});

Deno.test("a bundle that is too large is neither signed nor looked at", async () => {
  const { key, trusted } = await pair();
  const files = [{ name: "a.yaml", text: "#".repeat(BUNDLE_BYTES_MAX) }];
  await rejects(makeBundle({ ...CONTENTS, files }, key), why("too_large"));
  await rejects(openBundle(new Uint8Array(BUNDLE_BYTES_MAX + 1), trusted), why("too_large"));
});

Deno.test("a bundle that is stale, not for this host or out of its time is refused", async () => {
  const { key, trusted } = await pair();
  const bundle = await openBundle(await makeBundle(CONTENTS, key), trusted);
  const host = { name: "h", labels: [] };
  const options: JudgeOptions = {
    kind: "rules",
    wantedName: "",
    host,
    seen: undefined,
    nowMs: NOW,
  };
  const verdict = (more: Partial<JudgeOptions>) => judge(bundle, { ...options, ...more }).kind;
  strictEqual(verdict({}), "take");
  strictEqual(verdict({ seen: { serial: 6, sha256: "" } }), "take");
  strictEqual(verdict({ seen: { serial: 7, sha256: bundle.sha256 } }), "take");
  throws(() => verdict({ seen: { serial: 7, sha256: "00" } }), why("stale"));
  throws(() => verdict({ seen: { serial: 8, sha256: "" } }), why("stale"));
  throws(() => verdict({ kind: "config" }), why("wrong_kind"));
  throws(() => verdict({ wantedName: "other" }), why("wrong_name"));
  strictEqual(verdict({ nowMs: NOW + DAY - 1 }), "take");
  throws(() => verdict({ nowMs: NOW + DAY }), why("expired"));
  strictEqual(verdict({ nowMs: NOW - SKEW_MS }), "take");
  throws(() => verdict({ nowMs: NOW - SKEW_MS - 1 }), why("not_yet_issued"));
});

Deno.test("a share takes about that many of a thousand hosts, and keeps them as it grows", () => {
  const names = Array.from({ length: 1_000 }, (_, at) => `node-${at}.example.org`);
  const taken = (share: number) =>
    names.filter((name) => outsideOf({ ...CONTENTS, share }, { name, labels: [] }) === undefined);
  const [third, half] = [taken(33), taken(50)];
  ok(third.length > 280 && third.length < 380, `${third.length}`);
  ok(half.length > 450 && half.length < 550, `${half.length}`);
  ok(third.every((name) => half.includes(name)));
  deepStrictEqual([taken(0).length, taken(100).length], [0, 1_000]);
  // Another name, other hosts: it is not the same third that tries everything first.
  const others = names.filter((name) => placeOf("other", name) < 33);
  ok(others.filter((name) => third.includes(name)).length < 200);
});

Deno.test("patterns and labels say which hosts a bundle is for", () => {
  const is = (name: string, hosts: string[], labels: string[] = []) =>
    outsideOf({ ...CONTENTS, hosts, labels }, { name, labels: ["env=prod"] }) === undefined;
  ok(is("web-1", ["db-*", "web-?"]));
  ok(is("WEB-1", ["web-*1"]));
  ok(!is("web-10", ["web-?"]));
  ok(!is("web", ["we"]));
  ok(is("web-1", [], ["env=prod"]));
  ok(!is("web-1", [], ["env=test"]));
  // A pattern that would make a reader that goes back slow.
  ok(!is("a".repeat(255), [`${"*a".repeat(100)}b`]));
});

Deno.test("keys are those of openssl, and a private key is none for hosts", async () => {
  const { privatePem, publicPem, id } = await makeKeys();
  match(id, /^[0-9a-f]{16}$/);
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, privatePem);
  const { stdout } = await new Deno.Command("openssl", {
    args: ["pkey", "-in", file, "-pubout"],
  }).output();
  await Deno.remove(file);
  strictEqual(new TextDecoder().decode(stdout), publicPem);
  strictEqual((await readPrivateKey(privatePem)).publicKey.id, id);
  strictEqual((await readPublicKeys(publicPem + publicPem)).length, 2);
  await rejects(readPublicKeys(privatePem), /holds a private key/);
  await rejects(readPublicKeys("nothing"), /no public key/);
  await rejects(readPrivateKey(publicPem), /expected one private key/);
});

Deno.test("the rules of a bundle come behind the host's, or in their place", () => {
  const own = [{ name: "own.yaml", text: "" }];
  const named = "rollout fleet 7: a.yaml";
  const names = (more: Partial<Contents>) =>
    withBundle(own, { ...CONTENTS, ...more }).map(({ name }) => name);
  deepStrictEqual(names({}), ["own.yaml", named]);
  deepStrictEqual(names({ combine: "instead" }), [named]);
  deepStrictEqual(names({ combine: "instead", files: [] }), ["own.yaml"]);
  deepStrictEqual(withBundle(own, undefined), own);
});
