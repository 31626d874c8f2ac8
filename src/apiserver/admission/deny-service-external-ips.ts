import type { Service } from "../../api/generated/types.ts";
import { services } from "../../api/resources.ts";
import { forbiddenWrite } from "../errors.ts";
import { NOTHING_BESIDE, type Admission } from "./admission.ts";

/**
 * Who may write Services could take any address with `externalIPs`, and with it traffic that is meant for others (CVE-2020-8554):
 * no new ones are let in. Those that are there may stay, move and go (SVC-304).
 */
export const denyServiceExternalIPs: Admission = {
  name: "DenyServiceExternalIPs",
  admit({ kind, subresource, name, next, previous }) {
    const isService = kind.group === services.group && kind.plural === services.plural;
    if (!isService || subresource !== undefined || next === undefined) return NOTHING_BESIDE;
    const before = new Set((previous as Service | undefined)?.spec?.externalIPs);
    if (new Set((next as Service).spec?.externalIPs).isSubsetOf(before)) return NOTHING_BESIDE;
    throw forbiddenWrite(kind, name, "Use of external IPs is denied by admission control");
  },
};
