// Which packages are named on which distribution.
import { deepStrictEqual, strictEqual } from "node:assert";
import { distributionOf, installLine, type Need } from "./distribution.ts";

function line(osRelease: string, release: string, compiler: "gcc" | "clang" = "gcc") {
  const needs: Need[] = [
    { kind: "headers", release },
    { kind: "make" },
    { kind: "compiler", compiler, major: 12 },
  ];
  return installLine(distributionOf(osRelease), needs);
}

Deno.test("installLine names the packages of each distribution", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    [
      'ID=debian\nVERSION_ID="12"\n',
      "6.1.0-49-amd64",
      "apt-get install linux-headers-6.1.0-49-amd64 make gcc-12",
    ],
    [
      "ID=ubuntu\nID_LIKE=debian\n",
      "6.8.0-31-generic",
      "apt-get install linux-headers-6.8.0-31-generic make gcc-12",
    ],
    [
      'ID=linuxmint\nID_LIKE="ubuntu debian"\n',
      "6.8.0-31-generic",
      "apt-get install linux-headers-6.8.0-31-generic make gcc-12",
    ],
    [
      "ID=fedora\nVERSION_ID=42\n",
      "6.14.0-63.fc42.x86_64",
      "dnf install kernel-devel-6.14.0-63.fc42.x86_64 make gcc",
    ],
    [
      'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n',
      "5.14.0-427.el9.x86_64",
      "dnf install kernel-devel-5.14.0-427.el9.x86_64 make gcc",
    ],
    [
      "ID=centos\nVERSION_ID=7\n",
      "3.10.0-1160.el7.x86_64",
      "yum install kernel-devel-3.10.0-1160.el7.x86_64 make gcc",
    ],
    [
      "ID=ol\nID_LIKE=fedora\nVERSION_ID=9\n",
      "5.15.0-200.el9uek.x86_64",
      "dnf install kernel-uek-devel-5.15.0-200.el9uek.x86_64 make gcc",
    ],
    [
      'ID="opensuse-leap"\nID_LIKE="suse opensuse"\n',
      "6.4.0-150600.23-default",
      "zypper install kernel-default-devel make gcc",
    ],
    ["ID=arch\n", "6.14.2-arch1-1", "pacman -S linux-headers make gcc"],
    ["ID=arch\n", "6.12.20-1-lts", "pacman -S linux-lts-headers make gcc"],
    ["ID=alpine\n", "6.12.20-0-virt", "apk add linux-virt-dev make gcc"],
  ];
  for (const [osRelease, release, expected] of cases) {
    strictEqual(line(osRelease, release), expected, osRelease);
  }
});

Deno.test("installLine names clang with its linker, and nothing where nobody knows", () => {
  strictEqual(
    line("ID=debian\n", "6.12", "clang"),
    "apt-get install linux-headers-6.12 make clang-12 lld-12 llvm-12",
  );
  strictEqual(line("ID=arch\n", "6.12-zen", "clang")?.endsWith("make clang lld llvm"), true);
  strictEqual(line("ID=nixos\n", "6.12"), undefined);
  strictEqual(line("", "6.12"), undefined);
  strictEqual(installLine(distributionOf("ID=debian\n"), []), undefined);
});

Deno.test("distributionOf takes what it calls itself, quoted or not", () => {
  const text = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=\'debian\'\nVERSION_ID="12"\n';
  deepStrictEqual(distributionOf(text), {
    name: "Debian GNU/Linux 12 (bookworm)",
    family: "debian",
    id: "debian",
    major: 12,
  });
});
