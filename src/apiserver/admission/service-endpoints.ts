import { endpoints, services } from "../../api/resources.ts";
import { objectKey } from "../keys.ts";
import { NOTHING_BESIDE, type Admission } from "./admission.ts";

/** A Service that goes takes the Endpoints of its name along (SVC-192). */
export const serviceEndpoints: Admission = {
  name: "ServiceEndpoints",
  released(kind, object) {
    if (kind.group !== services.group || kind.plural !== services.plural) return NOTHING_BESIDE;
    const { namespace, name = "" } = object.metadata;
    return { conditions: [], operations: [{ type: "delete", key: objectKey(endpoints, { namespace, name }) }] };
  },
};
