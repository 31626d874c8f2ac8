import type { Node, Pod, Taint } from "../../api/generated/types.ts";

/** The pod accepts the taint: same key (or any), same value (or any), same effect (or any). */
export const tolerates = (pod: Pod, taint: Pick<Taint, "key" | "value" | "effect">): boolean =>
  pod.spec?.tolerations?.some(
    ({ key, operator, value, effect }) =>
      (effect === undefined || effect === "" || effect === taint.effect) &&
      (key === undefined || key === "" ? operator === "Exists" : key === taint.key) &&
      (operator === "Exists" || (value ?? "") === (taint.value ?? "")),
  ) === true;

/** The taint that `kubectl cordon` stands for. */
export const CORDONED = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

/** The first taint for which the pod must not come to this node; that of a cordon is judged apart. */
export const repellingTaint = (pod: Pod, node: Node): Taint | undefined =>
  node.spec?.taints?.find(
    (taint) =>
      (taint.effect === "NoSchedule" || taint.effect === "NoExecute") &&
      !(taint.key === CORDONED.key && node.spec?.unschedulable === true) &&
      !tolerates(pod, taint),
  );
