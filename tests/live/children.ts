// Processes that a program under test started.

/** Processes that `pid` started, under this title. */
export function childrenOf(pid: number, title: string): number[] {
  const tasks = [...Deno.readDirSync(`/proc/${pid}/task`)];
  const children = tasks.flatMap(({ name }) =>
    Deno.readTextFileSync(`/proc/${pid}/task/${name}/children`).split(" ").filter(Boolean)
  );
  return children.map(Number).filter((child) =>
    Deno.readTextFileSync(`/proc/${child}/cmdline`).startsWith(title)
  );
}
