// For tests of outputs: messages, a directory, a certificate made for the occasion.
import { ok } from "node:assert";
import type { Message } from "../format/message.ts";

export function messages(from: number, to: number): Message[] {
  return Array.from({ length: to - from }, (_, at) => ({
    text: `alert ${from + at} "é" %s`,
    priority: (from + at) % 8,
    time: 1_700_000_000_123_456_789n,
    hostname: "web 1",
  }));
}

export const texts = (from: number, to: number) => messages(from, to).map(({ text }) => text);

export async function within(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync();
  try {
    await body(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

/** A certificate that is its own authority, made for this test. */
export async function ownCertificate(directory: string, name: string) {
  const [file, keyFile] = [`${directory}/certificate.pem`, `${directory}/key.pem`];
  const { success } = await new Deno.Command("openssl", {
    args: [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...["-keyout", keyFile, "-out", file, "-days", "2", "-subj", `/CN=${name}`],
      ...["-addext", `subjectAltName=DNS:${name}`, "-addext", "basicConstraints=critical,CA:FALSE"],
    ],
    stdout: "null",
    stderr: "null",
  }).output();
  ok(success, "openssl makes no certificate");
  return { certificate: Deno.readTextFileSync(file), key: Deno.readTextFileSync(keyFile) };
}

export function portOf(address: Deno.Addr): number {
  return (address as Deno.NetAddr).port;
}

export async function eventually<T>(get: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (;;) {
    const value = await get();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
