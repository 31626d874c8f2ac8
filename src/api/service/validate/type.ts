import { forbidden, invalid, required, type Fault } from "../../fault.ts";
import type { ServiceSpec } from "../../generated/types.ts";
import { checked } from "../../meta/check.ts";
import { checkSubdomain } from "../../meta/names.ts";
import { HEADLESS, isHeadlessSpec } from "../needs.ts";

const UNUSED = "may not be set for ExternalName services";

/** SVC-064, SVC-065: an alias has no addresses, and must be a name; one trailing dot does no harm. */
function validateExternalName(spec: ServiceSpec): Fault[] {
  const name = (spec.externalName ?? "").replace(/\.$/, "");
  return [
    ...(spec.clusterIPs?.length ? [forbidden("spec.clusterIPs", UNUSED)] : []),
    ...(spec.ipFamilies?.length ? [forbidden("spec.ipFamilies", UNUSED)] : []),
    ...(spec.ipFamilyPolicy === undefined ? [] : [forbidden("spec.ipFamilyPolicy", UNUSED)]),
    ...(name === "" ? [required("spec.externalName")] : checked(checkSubdomain, "spec.externalName", name)),
  ];
}

/** What the type asks of addresses and names (SVC-064, SVC-065, SVC-067). */
export function validateByType(spec: ServiceSpec): Fault[] {
  if (spec.type === "ExternalName") return validateExternalName(spec);
  if (!isHeadlessSpec(spec) || (spec.type !== "LoadBalancer" && spec.type !== "NodePort")) return [];
  return [invalid("spec.clusterIPs[0]", HEADLESS, `may not be set to 'None' for ${spec.type} services`)];
}
