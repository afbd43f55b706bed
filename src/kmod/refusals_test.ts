// What hinders a module on hosts of different kinds.
import { deepStrictEqual, match, strictEqual } from "node:assert";
import { dirname } from "node:path";
import { hindrance, type HostRules, hostRules, loadRefusal, unloadRefusal } from "./refusals.ts";

const OPEN: HostRules = {
  lockdown: "none",
  wantsSignature: false,
  isSecureBoot: false,
  isClosed: false,
  hasModules: true,
};

function rulesOf(files: Readonly<Record<string, string | Uint8Array>>): HostRules {
  const root = Deno.makeTempDirSync();
  try {
    for (const [path, content] of Object.entries(files)) {
      Deno.mkdirSync(dirname(`${root}/${path}`), { recursive: true });
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      Deno.writeFileSync(`${root}/${path}`, bytes);
    }
    return hostRules(root);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

Deno.test("hostRules reads what the kernel says of modules", () => {
  const variable = "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";
  deepStrictEqual(
    rulesOf({
      "proc/modules": "ext4 1 2 - Live\n",
      "proc/sys/kernel/modules_disabled": "1\n",
      "sys/kernel/security/lockdown": "none [integrity] confidentiality\n",
      "sys/module/module/parameters/sig_enforce": "Y\n",
      [`sys/firmware/efi/efivars/${variable}`]: Uint8Array.of(6, 0, 0, 0, 1),
    }),
    {
      lockdown: "integrity",
      wantsSignature: true,
      isSecureBoot: true,
      isClosed: true,
      hasModules: true,
    },
  );
  deepStrictEqual(rulesOf({ "proc/modules": "" }), { ...OPEN, lockdown: undefined });
  strictEqual(rulesOf({}).hasModules, false);
});

Deno.test("hindrance says what is in the way of a module, and how it may be taken away", () => {
  strictEqual(hindrance(OPEN, false), undefined);
  match(hindrance({ ...OPEN, hasModules: false }, true)!, /without CONFIG_MODULES/);
  match(hindrance({ ...OPEN, isClosed: true }, true)!, /kernel.modules_disabled is 1/);
  const locked = { ...OPEN, lockdown: "integrity", isSecureBoot: true };
  match(hindrance(locked, false)!, /locked down \(integrity, as secure boot has it\).*--sign-key/);
  strictEqual(hindrance(locked, true), undefined);
  match(hindrance({ ...OPEN, wantsSignature: true }, false)!, /sig_enforce\).*mokutil --import/);
});

Deno.test("loadRefusal has words for what the kernel answers", () => {
  const of = (errno: number, isSigned = false) => loadRefusal(errno, OPEN, isSigned);
  match(of(1), /no permission; .*root/);
  match(of(8), /made for another kernel/);
  match(of(126, true), /a key that this kernel does not trust/);
  match(of(129, true), /a key that this kernel does not trust/);
  match(of(74, true), /changed after it was signed/);
  match(of(99), /error 99/);
  match(loadRefusal(1, { ...OPEN, wantsSignature: true }, false), /sig_enforce/);
});

Deno.test("unloadRefusal names those who use the module", () => {
  strictEqual(unloadRefusal(11, ["saker (12)", "cat (7)"]), "it is in use by saker (12), cat (7)");
  match(unloadRefusal(11, []), /by nobody who can be seen from here/);
  match(unloadRefusal(1, []), /no permission/);
});
