// The fields that are kept of every alert's event besides those of its output, for who looks at it
// and for exceptions to be made of: a source's fields come in, those of them that are kept go out.
import type { Bound } from "../../fields/row/field.ts";
import type { FieldLookup } from "../check/operand.ts";

const OF_CALLS = [
  ...["evt.num", "evt.time", "evt.type", "evt.res", "evt.view"],
  ...["proc.name", "proc.exe", "proc.exepath", "proc.cmdline", "proc.cwd", "proc.pid", "proc.tty"],
  ...["proc.is_exe_upper_layer", "proc.is_exe_lower_layer", "proc.is_exe_writable"],
  ...["proc.is_exe_from_memfd"],
  ...["proc.pname", "proc.pexepath", "proc.pcmdline", "proc.ppid", "proc.aname[2]", "proc.sname"],
  ...["proc.birth.name[1]", "proc.birth.exepath[1]", "proc.birth.exepath[2]"],
  ...["proc.birth.exepath[3]", "proc.birth.seen"],
  ...["user.name", "user.uid", "user.loginname", "user.loginuid"],
  ...["container.id", "container.name", "container.image.repository", "container.image.tag"],
  ...["container.image.digest", "k8s.ns.name", "k8s.pod.name"],
  ...["fd.name", "fd.num", "fd.type", "fd.l4proto", "fd.cip", "fd.cport", "fd.sip", "fd.sport"],
  ...["fs.path.name", "fs.path.source", "fs.path.target"],
];

const OF_OTHERS = [
  ...["evt.num", "evt.time", "evt.type", "evt.pluginname", "evt.plugininfo"],
  ...["ka.auditid", "ka.verb", "ka.uri", "ka.user.name", "ka.user.groups", "ka.sourceips"],
  ...["ka.target.resource", "ka.target.subresource", "ka.target.name", "ka.target.namespace"],
  ...["ka.useragent", "ka.auth.decision", "ka.response.code"],
  ...["ka.req.pod.containers.image.repository", "container.id"],
];

/** Those that the source has, but for the names in `but`. */
export function standardFields(
  source: string,
  lookup: FieldLookup,
  but: ReadonlySet<string>,
): Bound[] {
  return (source === "syscall" ? OF_CALLS : OF_OTHERS).flatMap((name) => {
    if (but.has(name)) return [];
    const found = lookup.resolve(name);
    return "error" in found ? [] : [found.bound];
  });
}
