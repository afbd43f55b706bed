// Clone flags as the events have them (Falco's PPM_CL_*), those that the tables look at.

export const CL_FILES = 1;
export const CL_NEWPID = 1 << 6;
export const CL_PARENT = 1 << 8;
export const CL_THREAD = 1 << 13;
/** Not the kernel's: the child's own event came before its creator's. */
export const CL_INVERTED = 1 << 16;
export const CL_NEWUSER = 1 << 20;
export const CL_VFORK = 1 << 27;
export const CL_CHILD_IN_PIDNS = 1 << 29;
