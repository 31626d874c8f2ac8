import type { Service } from "../../api/generated/types.ts";
import { invalid, notSupported, type Fault } from "../../api/fault.ts";
import { HEADLESS, isHeadless } from "../../api/service/needs.ts";
import { familyOf, type IPFamily } from "../../net/ip.ts";

/** The families a Service has, in order, and by which policy. */
export interface Families {
  readonly policy: "SingleStack" | "PreferDualStack" | "RequireDualStack";
  readonly families: readonly IPFamily[];
}

const other = (family: IPFamily): IPFamily => (family === "IPv4" ? "IPv6" : "IPv4");
const hasSelector = (service: Service): boolean => Object.keys(service.spec?.selector ?? {}).length > 0;

/**
 * Computes `ipFamilies` and `ipFamilyPolicy` of a Service that needs a cluster IP (SVC-129 … SVC-143). `configured` are the
 * families this cluster has Service ranges of, the primary one first. Pure.
 */
export function computeFamilies(
  next: Service,
  previous: Service | undefined,
  configured: readonly IPFamily[],
): Families | { readonly faults: Fault[] } {
  const spec = next.spec ?? {};
  const primary = configured[0]!;
  const headlessAlone = isHeadless(next) && !hasSelector(next);
  const policy = (spec.ipFamilyPolicy ??
    previous?.spec?.ipFamilyPolicy ??
    (headlessAlone ? "RequireDualStack" : "SingleStack")) as Families["policy"];
  const ips = (spec.clusterIPs ?? []).filter((ip) => ip !== HEADLESS && ip !== "");
  const given = (spec.ipFamilies ?? []) as IPFamily[];
  const faults: Fault[] = [];

  const inferred = ips.map(familyOf);
  let families = given.length > 0 ? [...given] : inferred.filter((family) => family !== undefined);
  // Leaving dual stack by the policy alone keeps the first of each list (SVC-140).
  const leaving = policy === "SingleStack" && (previous?.spec?.ipFamilies?.length ?? 0) === 2;
  if (leaving && families.length === 2) families = families.slice(0, 1);
  if (families.length === 0) families = [primary];

  if (!headlessAlone) {
    families.forEach((family, index) => {
      if (configured.includes(family)) return;
      const why = "not configured on this cluster";
      faults.push(
        given.length > 0
          ? invalid(`spec.ipFamilies[${index}]`, family, why)
          : invalid(
              `spec.clusterIPs[${index}]`,
              ips[index] ?? family,
              `the address is of family ${family}, which is ${why}`,
            ),
      );
    });
    if (policy === "RequireDualStack" && configured.length < 2) {
      faults.push(invalid("spec.ipFamilyPolicy", policy, "this cluster is not configured for dual-stack services"));
    }
  }
  if (policy === "SingleStack" && !leaving && (families.length > 1 || ips.length > 1)) {
    faults.push(
      invalid(
        "spec.ipFamilyPolicy",
        policy,
        "may not be 'SingleStack' when two families or addresses are given; say 'PreferDualStack' or 'RequireDualStack'",
      ),
    );
  }
  if (!["SingleStack", "PreferDualStack", "RequireDualStack"].includes(policy)) {
    faults.push(notSupported("spec.ipFamilyPolicy", policy, ["SingleStack", "PreferDualStack", "RequireDualStack"]));
  }
  if (faults.length > 0) return { faults };
  const wantsBoth = policy === "RequireDualStack" || policy === "PreferDualStack";
  // A Service that preferred two families and got one is not changed because the cluster has two now (SVC-142).
  const untouched =
    previous?.spec?.ipFamilyPolicy === policy && (previous.spec.ipFamilies ?? []).join() === families.join();
  if (wantsBoth && families.length === 1 && !untouched && (configured.length === 2 || headlessAlone)) {
    families.push(other(families[0]!));
  }
  return { policy, families };
}
