// The children of a thread, as a list through the children themselves.
import type { Thread } from "./thread.ts";

export function adopt(parent: Thread, child: Thread): void {
  child.ptid = parent.tid;
  child.parent = parent;
  child.previousSibling = undefined;
  child.nextSibling = parent.firstChild;
  if (parent.firstChild !== undefined) parent.firstChild.previousSibling = child;
  parent.firstChild = child;
}

export function disown(parent: Thread, child: Thread): void {
  const { previousSibling, nextSibling } = child;
  if (previousSibling !== undefined) previousSibling.nextSibling = nextSibling;
  else if (parent.firstChild === child) parent.firstChild = nextSibling;
  if (nextSibling !== undefined) nextSibling.previousSibling = previousSibling;
  child.parent = child.previousSibling = child.nextSibling = undefined;
}
