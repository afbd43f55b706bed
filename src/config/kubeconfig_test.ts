// Kubeconfig files as kubectl and kubeadm write them, and such as saker cannot go by.
import { deepStrictEqual, match, strictEqual } from "node:assert";
import { readKubeconfig } from "./kubeconfig.ts";

const KUBECONFIG = `apiVersion: v1
kind: Config
current-context: here
contexts:
- name: there
  context: {cluster: other, user: other}
- name: here
  context:
    cluster: home
    user: reader
clusters:
- name: home
  cluster:
    server: https://10.0.0.1:6443/prefix
    certificate-authority-data: ${btoa("PEM of an authority")}
users:
- name: reader
  user:
    tokenFile: token
    client-certificate: a.pem
    client-key: a.key
`;

function error(text: string): string {
  const read = readKubeconfig(text);
  return "error" in read ? read.error : "";
}

Deno.test("a kubeconfig's current context says where to ask and as whom", () => {
  const read = readKubeconfig(KUBECONFIG);
  if ("error" in read) throw new Error(read.error);
  strictEqual(read.server, "https://10.0.0.1:6443/prefix");
  deepStrictEqual(read.authorities, { text: "PEM of an authority" });
  deepStrictEqual(read.token, { file: "token", text: "" });
  deepStrictEqual([read.certificate, read.key], [{ file: "a.pem" }, { file: "a.key" }]);
});

Deno.test("a kubeconfig that cannot be gone by says why, and shows no secret", () => {
  match(error("users: [{name: s3cret"), /^is no YAML$/);
  match(error("a: b"), /has no current-context/);
  match(error(KUBECONFIG.replace("name: here", "name: gone")), /has no context "here"/);
  match(error(KUBECONFIG.replace("name: home", "name: gone")), /has no cluster/);
  match(
    error(KUBECONFIG.replace("tokenFile: token", "exec: {command: aws}")),
    /a program that makes tokens/,
  );
  match(
    error(KUBECONFIG.replace("    server:", "    insecure-skip-tls-verify: true\n    server:")),
    /TLS not to be verified/,
  );
});
