import type { PodSpec } from "../generated/types.ts";

/** How a pod is treated when memory runs out: `Guaranteed`, `Burstable` or `BestEffort`, from its requests and limits. */
export function qosClass(spec: PodSpec): string {
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  const asks = containers.some(
    ({ resources }) => Object.keys({ ...resources?.limits, ...resources?.requests }).length > 0,
  );
  if (!asks) return "BestEffort";
  const fixed = containers.every(({ resources }) =>
    ["cpu", "memory"].every((name) => {
      const limit = resources?.limits?.[name];
      return limit !== undefined && resources?.requests?.[name] === limit;
    }),
  );
  return fixed ? "Guaranteed" : "Burstable";
}
