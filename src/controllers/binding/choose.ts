import type { Node, Pod } from "../../api/generated/types.ts";
import { isFinished, isTerminating } from "../pods/ready.ts";
import type { NodeLoad } from "./load.ts";
import { obstacle, type Candidate } from "./obstacle.ts";

/** The scheduler that pods mean when they name none (`spec.schedulerName`). */
export const SCHEDULER = "default-scheduler";

/** Whether the pod waits for us to give it a node. */
export const awaitsNode = (pod: Pod): boolean =>
  (pod.spec?.nodeName ?? "") === "" &&
  (pod.spec?.schedulerName ?? SCHEDULER) === SCHEDULER &&
  (pod.spec?.schedulingGates ?? []).length === 0 &&
  !isFinished(pod) &&
  !isTerminating(pod);

export type Choice = { readonly node: string } | { readonly refused: string };

/** The node with the fewest pods of those that can have this one (by name, when several have as few), or why there is none. */
export function chooseNode(candidate: Candidate, nodes: Iterable<Node>, loadOn: (node: string) => NodeLoad): Choice {
  if (candidate.missingClaim !== undefined) {
    return { refused: `persistentvolumeclaim ${JSON.stringify(candidate.missingClaim)} not found` };
  }
  let best: { name: string; count: number } | undefined;
  let total = 0;
  const obstacles = new Map<string, number>();
  for (const node of nodes) {
    total += 1;
    const name = node.metadata.name ?? "";
    const load = loadOn(name);
    const why = obstacle(candidate, node, load);
    if (why !== undefined) obstacles.set(why, (obstacles.get(why) ?? 0) + 1);
    else if (best === undefined || load.pods < best.count || (load.pods === best.count && name < best.name)) {
      best = { name, count: load.pods };
    }
  }
  if (best !== undefined) return { node: best.name };
  if (total === 0) return { refused: "no nodes available to schedule pods" };
  const said = [...obstacles].map(([why, count]) => `${count} ${why}`).sort();
  return { refused: `0/${total} nodes are available: ${said.join(", ")}.` };
}
