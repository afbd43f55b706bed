// What pages of a fleet say where nothing comes from NATS, and of when they are.
import { shown } from "../../server/page/shown.ts";
import type { FollowStats } from "../read/follow_fleet.ts";

export type Trouble = NonNullable<FollowStats["trouble"]>;

export function StreamTrouble({ of }: { readonly of: Trouble | undefined }) {
  if (of === undefined) return null;
  return (
    <p class="panel trouble bad" data-key="trouble" role="alert">
      {`NATS: ${shown(of.why)}, since ${timeText(of.sinceMs)} UTC. What stands here is of then.`}
    </p>
  );
}

/** `2026-01-02 03:04:05`, in UTC. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace("T", " ");
}
