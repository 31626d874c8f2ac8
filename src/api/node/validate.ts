import { duplicate, forbidden, invalid, notSupported, required, type Fault } from "../fault.ts";
import type { Node } from "../generated/types.ts";
import { checkCidr } from "../meta/ip.ts";
import { checkLabelValue, checkQualifiedName, checkSubdomain } from "../meta/names.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";

const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

function validateTaints(node: Node): Fault[] {
  const seen = new Set<string>();
  return (node.spec?.taints ?? []).flatMap((taint, index) => {
    const field = `spec.taints[${index}]`;
    const faults = [
      ...checkQualifiedName(taint.key).map((why) => invalid(`${field}.key`, taint.key, why)),
      ...checkLabelValue(taint.value ?? "").map((why) => invalid(`${field}.value`, taint.value, why)),
    ];
    if (!taint.effect) faults.push(required(`${field}.effect`));
    else if (!EFFECTS.includes(taint.effect)) faults.push(notSupported(`${field}.effect`, taint.effect, EFFECTS));
    const key = `${taint.key} ${taint.effect}`;
    if (seen.has(key)) faults.push(duplicate(field, taint));
    seen.add(key);
    return faults;
  });
}

function validateAddresses(node: Node): Fault[] {
  const seen = new Set<string>();
  return (node.status?.addresses ?? []).flatMap((address, index) => {
    const key = `${address.type} ${address.address}`;
    const repeated = seen.has(key);
    seen.add(key);
    return repeated ? [duplicate(`status.addresses[${index}]`, address)] : [];
  });
}

function validatePodCIDRs(next: Node, previous: Node | undefined): Fault[] {
  const cidrs = next.spec?.podCIDRs ?? [];
  const faults = cidrs.flatMap((cidr, index) =>
    checkCidr(cidr).map((why) => invalid(`spec.podCIDRs[${index}]`, cidr, why)),
  );
  const before = previous?.spec?.podCIDRs ?? [];
  if (before.length > 0 && (before.length !== cidrs.length || before.some((cidr, index) => cidr !== cidrs[index]))) {
    faults.push(forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid'));
  }
  const was = previous?.spec?.providerID;
  if (was && was !== next.spec?.providerID) {
    faults.push(forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid'));
  }
  return faults;
}

export const validate = (next: Node, previous: Node | undefined): Fault[] => [
  ...validateObjectMeta(next.metadata, previous?.metadata, { namespaced: false, checkName: checkSubdomain }),
  ...validateTaints(next),
  ...validateAddresses(next),
  ...validatePodCIDRs(next, previous),
];
