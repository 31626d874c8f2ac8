import type { Taint, Toleration } from "../../api/generated/types.ts";

export const NOT_READY = "node.kubernetes.io/not-ready";
export const UNREACHABLE = "node.kubernetes.io/unreachable";
export const UNSCHEDULABLE = "node.kubernetes.io/unschedulable";

/** Same key (or any), same value (or any), same effect (or any). */
export const accepts = ({ key, operator, value, effect }: Toleration, taint: Taint): boolean =>
  (effect === undefined || effect === "" || effect === taint.effect) &&
  (key === undefined || key === "" ? operator === "Exists" : key === taint.key) &&
  (operator === "Exists" || (value ?? "") === (taint.value ?? ""));

/** Whether all taints of these effects are tolerated. */
export const toleratesAll = (
  tolerations: readonly Toleration[],
  taints: readonly Taint[],
  effects: readonly string[],
): boolean =>
  taints
    .filter(({ effect }) => effects.includes(effect))
    .every((taint) => tolerations.some((toleration) => accepts(toleration, taint)));

/** The tolerations with this one among them; it takes the place of one that is for the very same taints. */
export function withToleration(tolerations: readonly Toleration[], added: Toleration): Toleration[] {
  const isSame = (held: Toleration): boolean =>
    held.key === added.key &&
    held.effect === added.effect &&
    held.operator === added.operator &&
    (held.value ?? "") === (added.value ?? "");
  return [...tolerations.filter((held) => !isSame(held)), added];
}
