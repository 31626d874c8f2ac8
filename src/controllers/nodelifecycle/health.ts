import type { Lease, Node, NodeCondition } from "../../api/generated/types.ts";

/** Milliseconds. */
export interface GracePeriods {
  /** How long a node may be silent (`--node-monitor-grace-period`). */
  readonly monitor: number;
  /** How long after its creation, when it has never said how it is. */
  readonly startup: number;
  /** How often nodes are looked at. */
  readonly period: number;
}

/** Those of kube-controller-manager 1.36. */
export const GRACE_PERIODS: GracePeriods = { monitor: 50_000, startup: 60_000, period: 5000 };

export const NEVER_UPDATED = "NodeStatusNeverUpdated";

export const conditionOf = (node: Node, type: string): NodeCondition | undefined =>
  node.status?.conditions?.find((condition) => condition.type === type);

/** Nothing that the node said itself: what we write of a node that never did does not count. */
function readyOf(node: Node): NodeCondition | undefined {
  const ready = conditionOf(node, "Ready");
  return ready?.reason === NEVER_UPDATED ? undefined : ready;
}

/**
 * When nodes were last heard of, by our own clock: whatever theirs say, a Lease or a heartbeat that changes is a sign of life
 * at the moment at which we see it. So a controller that starts anew gives every node its whole time again.
 */
export interface Health {
  /** Takes in what there is of the node. Answers whether it has been silent for too long. */
  isSilent(node: Node, lease: Lease | undefined, now: number): boolean;
  /** We have not looked for a while: nothing is held against the nodes. */
  excuse(now: number): void;
  forget(name: string): void;
}

interface Heard {
  readonly uid: string | undefined;
  readonly heartbeat: string | undefined;
  readonly renewTime: string | undefined;
  at: number;
}

export function createHealth({ monitor, startup }: GracePeriods): Health {
  const heard = new Map<string, Heard>();
  return {
    isSilent(node, lease, now) {
      const { name = "", uid, creationTimestamp } = node.metadata;
      const ready = readyOf(node);
      const heartbeat = ready?.lastHeartbeatTime ?? (ready === undefined ? undefined : "");
      const renewTime = lease?.spec?.renewTime;
      let held = heard.get(name);
      if (held === undefined || held.uid !== uid) {
        const isNews = ready !== undefined || renewTime !== undefined;
        const createdAt = Date.parse(creationTimestamp ?? "");
        held = { uid, heartbeat, renewTime, at: isNews || Number.isNaN(createdAt) ? now : createdAt };
      } else if (held.heartbeat !== heartbeat || (renewTime !== undefined && held.renewTime !== renewTime)) {
        held = { uid, heartbeat, renewTime, at: now };
      }
      heard.set(name, held);
      return now - held.at > (ready === undefined ? startup : monitor);
    },
    excuse(now) {
      for (const held of heard.values()) held.at = now;
    },
    forget: (name) => void heard.delete(name),
  };
}
