// Certificates for tests of both sides: an authority made for the occasion, and what it signs.
import { ok } from "node:assert";

async function openssl(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  ok(success, new TextDecoder().decode(stderr));
}

/** An authority, and a certificate of it with its key, as PEM files: ca, NAME.crt, NAME.key. */
export async function authority(directory: string, names: readonly string[]): Promise<void> {
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const [ca, caKey] = [`${directory}/ca`, `${directory}/ca.key`];
  await openssl(
    ...["req", "-x509", ...ec, "-keyout", caKey, "-out", ca, "-days", "2", "-subj", "/CN=ca"],
  );
  for (const name of names) {
    const [key, request] = [`${directory}/${name}.key`, `${directory}/${name}.csr`];
    await openssl("req", ...ec, "-keyout", key, "-out", request, "-subj", `/CN=${name}`);
    const extensions = `${directory}/${name}.ext`;
    Deno.writeTextFileSync(extensions, `subjectAltName=DNS:${name}\n`);
    await openssl(
      ...["x509", "-req", "-in", request, "-CA", ca, "-CAkey", caKey, "-CAcreateserial"],
      ...["-days", "2", "-out", `${directory}/${name}.crt`, "-extfile", extensions],
    );
  }
}
