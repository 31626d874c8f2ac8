import type { Kind } from "../../../api/kind.ts";
import { isCounted, mayChangeUsage } from "../../../api/resourceQuota/usage/usage.ts";
import type { Context } from "../../context.ts";
import { hasQuotas } from "./read.ts";

/**
 * Does a write when it is its turn. Writes that change one quota could only succeed one at a time, and many at once would wear each
 * other out; so in a namespace with quotas they wait for each other. Elsewhere nobody waits.
 */
export function inTurn<T>(
  context: Context,
  kind: Kind,
  namespace: string | undefined,
  write: { readonly isUpdate: boolean },
  work: () => Promise<T>,
): Promise<T> {
  const isAlone = namespace === undefined || !isCounted(kind) || (write.isUpdate && !mayChangeUsage(kind));
  if (isAlone || !hasQuotas(context, namespace)) return work();
  return context.turns.take(namespace, work);
}
