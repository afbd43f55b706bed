// Clone flags as the events have them (Falco's PPM_CL_*), those that the tables look at.
import { flagValue } from "../../events/table.ts";

const cloneFlag = (name: string) => flagValue("clone_flags", name);

export const CL_FILES = cloneFlag("CLONE_FILES");
export const CL_NEWPID = cloneFlag("CLONE_NEWPID");
export const CL_PARENT = cloneFlag("CLONE_PARENT");
export const CL_THREAD = cloneFlag("CLONE_THREAD");
/** Not the kernel's: the child's own event came before its creator's. */
export const CL_INVERTED = cloneFlag("CLONE_INVERTED");
export const CL_NEWUSER = cloneFlag("CLONE_NEWUSER");
export const CL_VFORK = cloneFlag("CLONE_VFORK");
export const CL_CHILD_IN_PIDNS = cloneFlag("CLONE_CHILD_IN_PIDNS");
