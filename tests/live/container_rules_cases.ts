// Rules on containers, each with the harmless thing that a program does about it: the official ones
// of all three files, and saker's own. What a rule's authors left to its users is named beside it.
export type Cases = readonly (readonly [rule: string, script: string])[];

/** Addresses for documentation, which a container gives to its own loopback. */
const [POOL, NODE, API, FAR] = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "198.51.100.1"];

/** Listens at an address of the container's own, and connects to it. */
const connected = (address: string, port: number) =>
  `ip addr add ${address}/32 dev lo; nc -l -p ${port} & sleep 0.5; ` +
  `nc ${address} ${port} < /dev/null`;

/** A program that is a copy of busybox. */
const copied = (path: string, args = "") => `cp /bin/busybox ${path}; ${path} ${args}`;

/** In a container with a terminal and rights: which rule, and what a shell does about it. */
export const CAPABLE: Cases = [
  ["Terminal shell in container", ":"],
  ["Netcat Remote Code Execution in Container", "/bin/nc 127.0.0.1 1 -e /bin/true"],
  ["Launch Suspicious Network Tool in Container", "/bin/nc 127.0.0.1 1"],
  ["Packet socket created in container", "arping -c 1 -w 1 -I lo 127.0.0.1"],
  [
    "Redirect STDOUT/STDIN to Network Connection in Container",
    "nc -l -p 5555 -e /bin/true & sleep 0.5; nc 127.0.0.1 5555 < /dev/null",
  ],
  ["Linux Kernel Module Injection Detected", "insmod /etc/passwd"],
  ["Detect release_agent File Container Escapes", ": > /tmp/release_agent"],
  ["Execution from /dev/shm", "/bin/sh -c /dev/shm/nothing"],
  ["Read sensitive file untrusted", "cat /etc/shadow"],
  ["Change thread namespace", "nsenter -t 1 -u true"],
  [
    "Contact cloud metadata service from container",
    "ip addr add 169.254.169.254/32 dev lo; nc -l -p 80 & sleep 0.5; " +
    "nc 169.254.169.254 80 < /dev/null",
  ],
  ["Contact EC2 Instance Metadata Service From Container", ":"],
  ["Launch Package Management Process in Container", "/bin/dpkg -l"],
  ["Launch Remote File Copy Tools in Container", "cp /bin/busybox /tmp/scp; /tmp/scp"],
  ["Launch Ingress Remote File Copy Tools in Container", "/bin/wget -q http://127.0.0.1:1/"],
  ["Read environment variable from /proc files", "cat /proc/self/environ"],
  ["Kubernetes Client Tool Launched in Container", "cp /bin/busybox /tmp/kubectl; /tmp/kubectl"],
  ["Container Drift Detected (chmod)", ": > /tmp/drift; chmod 755 /tmp/drift"],
  ["Container Run as Root User", ":"],
  ["Decoding Payload in Container", "echo aGFybWxlc3M= | base64 -d"],
  ["Privileged Container Device Access", ": > /dev/sdz"],
  ["Container Access to Host Sensitive Paths", "mkdir /host; : > /host/file"],
  ["Launch Excessively Capable Container", ":"],
  ["Launch Disallowed Container", ":"],
  ["Clear Log Activities", "mkdir -p /var/log; : > /var/log/auth.log"],
  ["Write below etc", ": > /etc/written"],
  ["Write below root", ": > /root/written"],
  ["Container Drift Detected (open+create)", "cp /bin/busybox /tmp/created"],
  ["Modify Container Entrypoint", "exec 3> /tmp/own; : > /proc/self/fd/3"],
  ["Unexpected K8s NodePort Connection", connected(NODE!, 30100)],
  ["Contact K8S API Server From Container", connected(API!, 6443)],
  ["Detect outbound connections to common miner pool ports", connected(POOL!, 3333)],
  [
    "Network Tool Executed During NPM Package Install",
    "printf '#!/bin/sh\\n/bin/nc 127.0.0.1 1\\n:\\n' > /tmp/npm; chmod 755 /tmp/npm; /tmp/npm",
  ],
];

/** In a container with every right, where the host's /etc is mounted. */
export const PRIVILEGED: Cases = [
  ["Launch Privileged Container", ":"],
  // As it is written, `not … in ("<NA>", "N/A")`, it holds of every container, here as in Falco: a
  // mount that is not there has no value.
  ["Launch Sensitive Mount Container", ":"],
  ["Debugfs Launched in Privileged Container", copied("/tmp/debugfs")],
  ["Mount Launched in Privileged Container", "/bin/mount /nothing /nowhere"],
  [
    // Whatever the runtime's storage is, a layer of its own is the upper one.
    "Drop and execute new binary in container",
    "mkdir /o; mount -t tmpfs none /o; mkdir /o/l /o/u /o/w /o/m; mount -t overlay none " +
    `-o lowerdir=/o/l,upperdir=/o/u,workdir=/o/w /o/m; ${copied("/o/m/true")}`,
  ],
];

/** By a user of the container, without any right. */
export const WEAK: Cases = [
  ["Change namespace privileges via unshare", "unshare -m true"],
  ["Non sudo setuid", "/usr/bin/python3 -I -S -c 'import os; os.setuid(1000)'"],
];

/** In a pod, in a network of its own. */
export const IN_POD: Cases = [
  [
    "Network Connection outside Local Subnet",
    `unshare -n sh -c 'ip link set lo up; ${connected(FAR!, 80)}'`,
  ],
];

/** The namespace of that pod, which the last rule is for. */
export const NAMESPACE = "saker-space";

/** What the rules' authors leave to who uses them: macros, lists, and what is switched off. */
export const SETTINGS = [
  ...[
    "Container Drift Detected (chmod)",
    "Container Drift Detected (open+create)",
    "Container Run as Root User",
    "Detect outbound connections to common miner pool ports",
    "Modify Container Entrypoint",
    "Unexpected K8s NodePort Connection",
  ].map((rule) => ({ rule, enabled: true, override: { enabled: "replace" } })),
  // As they are they name a host, and no address is looked up (fd.sip.name): not one connection
  // would ever match, so whoever uses them names the address.
  macro("k8s_api_server", `(fd.sip="${API}")`),
  macro("minerpool_other", `(fd.sport in (miner_ports) and fd.sip="${POOL}")`),
  // As it is every container is allowed.
  macro("allowed_containers", "(container.image.repository in (saker.test/other))"),
  {
    ...{ list: "namespace_scope_network_only_subnet", items: [NAMESPACE] },
    override: { items: "replace" },
  },
];

function macro(name: string, condition: string) {
  return { macro: name, condition, override: { condition: "replace" } };
}

/** The same of saker's own rules. */
export const OWN: Cases = [
  ["Shell with a terminal in a container", ":"],
  ["Namespace entered from a container", "nsenter -t 1 -u true"],
  [
    "Container runtime commanded from a container",
    `/usr/bin/python3 -I -S -c 'import socket
listening, asking = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
listening.bind("/tmp/docker.sock")
listening.listen()
asking.connect("/tmp/docker.sock")'`,
  ],
];

/** On the host, by a program of such a name. */
export const OUTSIDE:
  readonly (readonly [rule: string, program: string, args: readonly string[]])[] = [
    ["Launch Suspicious Network Tool on Host", "nc", ["127.0.0.1", "1"]],
    ["Netcat/Socat Remote Code Execution on Host", "nc", ["127.0.0.1", "1", "-e", "/bin/true"]],
    ["User mgmt binaries", "useradd", ["--none"]],
  ];
