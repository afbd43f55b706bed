// Fields of the user and the group that a thread acts as.
import type { Context } from "../../state/contract/context.ts";
import type { Thread } from "../../state/tables/thread.ts";
import type { Field, Value } from "../row/field.ts";
import { ofThread } from "./proc.ts";
import { fields, type Row } from "../row/row.ts";
import { groupOf, userOf } from "../text/user_names.ts";

const NOBODY = 0xffffffff;
const UNKNOWN = "<NA>";

export function userFields(): Field[] {
  const text = (
    name: string,
    description: string,
    read: (thread: Thread, context: Context) => Value,
  ): Row => ({
    name,
    type: "CHARBUF",
    description,
    domain: "thread",
    extract: ofThread(read),
  });
  return [
    ...fields("user", [
      {
        name: "user.uid",
        type: "UINT32",
        format: "ID",
        description: "Id of the user that the thread acts as.",
        domain: "thread",
        extract: ofThread((thread) => thread.uid),
      },
      text(
        "user.name",
        "Name of the user.",
        (thread, context) => nameOf(thread, context, thread.uid),
      ),
      text("user.homedir", "Home directory of the user.", (thread, context) => {
        const user = userOf(context, thread, thread.uid);
        return user?.homedir ?? (thread.uid === 0 ? "/root" : UNKNOWN);
      }),
      text(
        "user.shell",
        "Shell of the user.",
        (thread, context) => userOf(context, thread, thread.uid)?.shell ?? UNKNOWN,
      ),
      {
        name: "user.loginuid",
        type: "INT64",
        format: "ID",
        description: "Id of the user who logged in (audit user id); -1 for none.",
        domain: "thread",
        extract: ofThread((thread) => thread.loginuid === NOBODY ? -1 : thread.loginuid),
      },
      text(
        "user.loginname",
        "Name of the user who logged in.",
        (thread, context) => nameOf(thread, context, thread.loginuid),
      ),
    ]),
    ...groupFields(),
  ];
}

function groupFields(): Field[] {
  return fields("group", [
    {
      name: "group.gid",
      type: "UINT32",
      format: "ID",
      description: "Id of the group that the thread acts as.",
      domain: "thread",
      extract: ofThread((thread) => thread.gid),
    },
    {
      name: "group.name",
      type: "CHARBUF",
      description: "Name of the group.",
      domain: "thread",
      extract: ofThread((thread, context) => {
        const name = groupOf(context, thread, thread.gid)?.name;
        return name ?? (thread.gid === 0 ? "root" : UNKNOWN);
      }),
    },
  ]);
}

function nameOf(thread: Thread, context: Context, uid: number): string {
  return userOf(context, thread, uid)?.name ?? (uid === 0 ? "root" : UNKNOWN);
}
