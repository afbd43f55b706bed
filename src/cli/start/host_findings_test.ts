// What is told of hosts that lack something: one finding each, and what to do.
import { deepStrictEqual, match, strictEqual } from "node:assert";
import { hostFindings, type HostView } from "./host_findings.ts";

const WHOLE: HostView = {
  release: "6.1.0-50-amd64",
  arch: "x86_64",
  exists: () => true,
  read: (path) =>
    path === "/proc/self/status"
      ? "Name:\tsaker\nCapEff:\t000001ffffffffff\n"
      : "[none] integrity confidentiality\n",
  link: () => "pid:[4026531836]",
};

function amiss(change: Partial<HostView>, hostRoot = "") {
  return hostFindings({ ...WHOLE, ...change }, hostRoot).filter(({ verdict }) => verdict !== "ok");
}

Deno.test("a host that has everything has nothing amiss", () => {
  deepStrictEqual(amiss({}), []);
});

Deno.test("an old kernel is told, and one that can do less", () => {
  deepStrictEqual(amiss({ release: "5.10.0" })[0]!.verdict, "missing");
  const [loop] = amiss({ release: "5.15.0-100-generic" });
  strictEqual(loop!.verdict, "note");
  match(loop!.text, /no bpf_loop/);
});

Deno.test("each capability that lacks is told with what it takes away", () => {
  const status = (digits: string) => () => `CapEff:\t${digits}\n`;
  const none = amiss({ read: status("0000000000000000") });
  deepStrictEqual(none.map(({ verdict }) => verdict), ["missing", "missing", "note", "note"]);
  // CAP_SYS_ADMIN, CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH.
  deepStrictEqual(amiss({ read: status("0000000000280004") }), []);
});

Deno.test("lockdown, a PID namespace and a missing /proc are told with what to do", () => {
  const read = (path: string) =>
    path.endsWith("lockdown") ? "none integrity [confidentiality]" : WHOLE.read(path);
  match(amiss({ read })[0]!.advice!, /lockdown=integrity/);
  match(amiss({ link: () => "pid:[1]" })[0]!.advice!, /hostPID/);
  const exists = (path: string) => !path.includes("/proc/1/");
  match(amiss({ exists }, "/host")[0]!.advice!, /HOST_ROOT/);
  match(amiss({ exists: (path) => !path.includes("btf") })[0]!.text, /BTF/);
});
