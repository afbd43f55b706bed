// A bundle as bytes. The first line says which key signed it and how; all that follows is what was
// signed, byte by byte, and what is read:
//
//     saker-bundle 1 KEYID SIGNATURE\n        16 and 128 digits, hexadecimal
//     {"kind":"rules","name":…                to the end of the file
//
// Nothing is decoded, sorted or written anew before the signature is checked, so there is no second
// reading of the same bytes. The signature covers the first line up to the key's id as well: it is
// over "saker-bundle 1 KEYID\n" and what follows the first line, and so good for nothing else that
// the same key may have signed.
import { BUNDLE_BYTES_MAX, BundleRefused, type Contents } from "./contents.ts";
import { readContents, writeContents } from "./contents.ts";
import { isSignedBy, type PrivateKey, type PublicKey, sha256, sign } from "./keys.ts";

export interface Bundle {
  readonly contents: Contents;
  /** Whose signature is good. */
  readonly keyId: string;
  /** Of all bytes. */
  readonly sha256: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const FIRST_LINE = /^saker-bundle 1 ([0-9a-f]{16}) ([0-9a-f]{128})$/;
const FIRST_LINE_BYTES = "saker-bundle 1 ".length + 16 + 1 + 128;
const NEWLINE = 10;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export async function makeBundle(
  contents: Contents,
  key: PrivateKey,
): Promise<Uint8Array<ArrayBuffer>> {
  const text = writeContents(contents);
  // What nobody could take is not signed.
  readContents(text);
  const payload = encoder.encode(text);
  const { id } = key.publicKey;
  const signature = (await sign(key, signedBytes(id, payload))).toHex();
  const bytes = joined(encoder.encode(`saker-bundle 1 ${id} ${signature}\n`), payload);
  if (bytes.length > BUNDLE_BYTES_MAX) throw tooLarge();
  return bytes;
}

/** Throws a BundleRefused unless one of the keys has signed all of it. */
export async function openBundle(
  bytes: Uint8Array<ArrayBuffer>,
  keys: readonly PublicKey[],
): Promise<Bundle> {
  const { keyId, signature, payload } = partsOf(bytes);
  const candidates = keys.filter(({ id }) => id === keyId);
  if (candidates.length === 0) {
    throw new BundleRefused("unknown_key", `it is signed with a key (${keyId}) that is not known`);
  }
  const signed = signedBytes(keyId, payload);
  const verdicts = await Promise.all(candidates.map((key) => isSignedBy(key, signature, signed)));
  if (!verdicts.includes(true)) {
    throw new BundleRefused("bad_signature", `its signature is not that of key ${keyId}`);
  }
  return { contents: readContents(textOf(payload)), keyId, sha256: await sha256(bytes), bytes };
}

/** What it says of itself, whoever wrote it: for people to look at, with the id of the key that
 * signed it or did not. Throws a BundleRefused. */
export function peekBundle(
  bytes: Uint8Array<ArrayBuffer>,
): { readonly keyId: string; readonly contents: Contents } {
  const { keyId, payload } = partsOf(bytes);
  return { keyId, contents: readContents(textOf(payload)) };
}

function partsOf(bytes: Uint8Array<ArrayBuffer>) {
  if (bytes.length > BUNDLE_BYTES_MAX) throw tooLarge();
  const newline = bytes.subarray(0, FIRST_LINE_BYTES + 1).indexOf(NEWLINE);
  const line = newline < 0 ? null : FIRST_LINE.exec(latin1(bytes.subarray(0, newline)));
  if (line === null) {
    throw new BundleRefused("malformed", 'it does not begin with "saker-bundle 1 KEY SIGNATURE"');
  }
  return {
    keyId: line[1]!,
    signature: Uint8Array.fromHex(line[2]!),
    payload: bytes.subarray(newline + 1),
  };
}

function signedBytes(keyId: string, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  return joined(encoder.encode(`saker-bundle 1 ${keyId}\n`), payload);
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function textOf(payload: Uint8Array): string {
  try {
    return decoder.decode(payload);
  } catch {
    throw new BundleRefused("malformed", "what is signed is no UTF-8");
  }
}

function tooLarge(): BundleRefused {
  const megabytes = BUNDLE_BYTES_MAX >> 20;
  return new BundleRefused("too_large", `it has more than ${megabytes} MB`);
}
