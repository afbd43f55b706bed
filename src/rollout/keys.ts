// Ed25519 keys (RFC 8032) as PEM, in the forms that `openssl genpkey -algorithm ed25519` writes
// (PKCS #8, SPKI; RFC 8410): texts come in, keys with their ids go out. By the runtime's WebCrypto.

export interface PublicKey {
  /** The first 8 bytes of the SHA-256 of the key's 32, in hexadecimal: a name, not a proof. */
  readonly id: string;
  readonly key: CryptoKey;
}

export interface PrivateKey {
  readonly key: CryptoKey;
  readonly publicKey: PublicKey;
}

const ALGORITHM = "Ed25519";
export const SIGNATURE_BYTES = 64;

/** A new pair as two texts. */
export async function makeKeys(): Promise<{ privatePem: string; publicPem: string; id: string }> {
  const pair = await crypto.subtle.generateKey(ALGORITHM, true, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", pair.privateKey);
  const spki = await crypto.subtle.exportKey("spki", pair.publicKey);
  return {
    privatePem: pemOf("PRIVATE KEY", new Uint8Array(pkcs8)),
    publicPem: pemOf("PUBLIC KEY", new Uint8Array(spki)),
    id: await idOf(pair.publicKey),
  };
}

/** All public keys of a text; throws one line where there is none, or something else. */
export async function readPublicKeys(text: string): Promise<PublicKey[]> {
  if (blocksOf(text, "PRIVATE KEY").length > 0) {
    throw new Error("it holds a private key, which only who signs should have");
  }
  const blocks = blocksOf(text, "PUBLIC KEY");
  if (blocks.length === 0) throw new Error("there is no public key (PEM) in it");
  return await Promise.all(blocks.map(async (bytes) => {
    const key = await imported("spki", bytes, "verify");
    return { id: await idOf(key), key };
  }));
}

/** Throws one line where it is none. */
export async function readPrivateKey(text: string): Promise<PrivateKey> {
  const [bytes, ...more] = blocksOf(text, "PRIVATE KEY");
  if (bytes === undefined || more.length > 0) {
    throw new Error("expected one private key (PEM, PKCS #8) in it");
  }
  const key = await imported("pkcs8", bytes, "sign");
  // What is public of it stands in its export alone.
  const { x, kty, crv } = await crypto.subtle.exportKey("jwk", key);
  const isPublic = { kty, crv, x } as JsonWebKey;
  const publicKey = await crypto.subtle.importKey("jwk", isPublic, ALGORITHM, true, ["verify"]);
  return { key, publicKey: { id: await idOf(publicKey), key: publicKey } };
}

export async function sign(
  { key }: PrivateKey,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.sign(ALGORITHM, key, bytes));
}

export async function isSignedBy(
  { key }: PublicKey,
  signature: Uint8Array<ArrayBuffer>,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  return await crypto.subtle.verify(ALGORITHM, key, signature, bytes);
}

export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

async function imported(
  form: "spki" | "pkcs8",
  bytes: Uint8Array<ArrayBuffer>,
  use: KeyUsage,
): Promise<CryptoKey> {
  try {
    return await crypto.subtle.importKey(form, bytes, ALGORITHM, true, [use]);
  } catch {
    throw new Error("it is no Ed25519 key");
  }
}

async function idOf(key: CryptoKey): Promise<string> {
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", key));
  return (await sha256(raw)).slice(0, 16);
}

function pemOf(label: string, bytes: Uint8Array): string {
  const lines = bytes.toBase64().match(/.{1,64}/g)!;
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

function blocksOf(text: string, label: string): Uint8Array<ArrayBuffer>[] {
  const shape = new RegExp(
    `-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]+)-----END ${label}-----`,
    "g",
  );
  return [...text.matchAll(shape)].map(([, base64]) => {
    try {
      return Uint8Array.fromBase64(base64!);
    } catch {
      throw new Error("its base64 is broken");
    }
  });
}
