// What a guest of scripts/module.ts printed → what passed there, what failed and why.

export interface ModuleGuest {
  readonly kernel: string;
  readonly passed: readonly string[];
  readonly failures: readonly { readonly what: string; readonly why: string }[];
}

/** What any module of ours makes the kernel say. */
const EXPECTED = new RegExp(
  "saker: (loading out-of-tree module|module verification failed)|taints kernel|" +
    // A host that is busy elsewhere.
    "clocksource: Long readout interval|hrtimer: interrupt took|" +
    "perf: interrupt took too long|workqueue: (?!.*saker).* hogged CPU for",
);

export function moduleGuestOf(output: string): ModuleGuest {
  const pieces = output.replaceAll("\r", "").split(/^== (.*) [0-9.]+$/m);
  const parts = new Map<string, string>();
  for (let at = 1; at + 1 < pieces.length; at += 2) parts.set(pieces[at]!, pieces[at + 1]!);
  const passed: string[] = [];
  const failures: { what: string; why: string }[] = [];
  const judge = (what: string, why: string | undefined) => {
    if (why === undefined || why === "") passed.push(what);
    else failures.push({ what, why });
  };
  for (const [name, text] of parts) {
    if (/^(kernel |dmesg$|end$)/.test(name)) continue;
    const steps = [...text.matchAll(/^(ok|not ok) (.*)\n((?: {2}.*\n)*)/gm)];
    for (const [, verdict, what, why] of steps) {
      judge(`${name}: ${what}`, verdict === "ok" ? undefined : why!.trimEnd() || "it says no more");
    }
    if (!/^ok the steps end$/m.test(text)) judge(`${name}: the steps end`, lastOf(text));
  }
  const said = parts.get("dmesg");
  const complaints = said?.split("\n").filter((line) => line.trim() !== "" && !EXPECTED.test(line));
  judge("the kernel has nothing to complain of", complaints?.join("\n") ?? "it was not asked");
  judge("the guest ends", parts.has("end") ? undefined : lastOf(output));
  return {
    kernel: [...parts.keys()].find((name) => name.startsWith("kernel "))?.slice(7) ?? "unknown",
    passed,
    failures,
  };
}

const LINES = 25;

function lastOf(text: string): string {
  return text.trim().split("\n").slice(-LINES).join("\n");
}
