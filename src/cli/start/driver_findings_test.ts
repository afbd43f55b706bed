// Which driver is called the best on hosts of different kinds.
import { match, strictEqual } from "node:assert";
import { driverFinding } from "./driver_findings.ts";

Deno.test("driverFinding prefers the probe, then the module, then the tracer", () => {
  const buildable = { loaded: false };
  const none = { loaded: false, hindrance: "this kernel takes no modules" };
  const of = (withoutProbe: string | undefined, module: typeof buildable) =>
    driverFinding({ asked: undefined, withoutProbe, module }).text;
  match(of(undefined, buildable), /^drivers: modern_ebpf is best here; .*can be built/);
  match(of("no BTF", buildable), /^drivers: kmod is best here; eBPF .*cannot be had \(no BTF\)/);
  match(of("no BTF", none), /ptrace is best here; .*\(kmod\) cannot be had \(this kernel takes no/);
  match(of(undefined, { loaded: true }), /\(kmod\) is loaded/);
});

Deno.test("driverFinding notes where the configuration asks for another one", () => {
  const module = { loaded: true };
  const asked = driverFinding({ asked: "kmod", withoutProbe: undefined, module });
  strictEqual(asked.verdict, "note");
  match(asked.text, /modern_ebpf is best here; the configuration asks for kmod;/);
  strictEqual(driverFinding({ asked: "kmod", withoutProbe: "old", module }).verdict, "ok");
});
