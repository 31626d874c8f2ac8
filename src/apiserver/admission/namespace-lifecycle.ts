import * as resources from "../../api/resources.ts";
import { forbiddenWrite, notFound } from "../errors.ts";
import { freshItem, itemAt } from "../write.ts";
import { NOTHING_BESIDE, type Admission } from "./admission.ts";

/** Namespaces that clients rely on: they cannot be deleted. */
const FOR_GOOD = new Set(["default", "kube-system", "kube-public"]);

/**
 * Objects are only created in a namespace that is there and not on its way out (SVC-202). The condition makes that true in the same
 * transaction, so that nothing appears in a namespace that has just gone.
 */
export const namespaceLifecycle: Admission = {
  name: "NamespaceLifecycle",
  async admit({ operation, kind, namespace, name, isRetry }, context) {
    if (operation === "delete") {
      if (kind.group === "" && kind.plural === "namespaces" && FOR_GOOD.has(name)) {
        throw forbiddenWrite(kind, name, "this namespace may not be deleted");
      }
      return NOTHING_BESIDE;
    }
    const namespaceKind = context.kinds.find("", "v1", "namespaces");
    if (operation !== "create" || !kind.namespaced || namespace === undefined || namespaceKind === undefined) {
      return NOTHING_BESIDE;
    }
    const at = { namespace: undefined, name: namespace };
    const found =
      (isRetry ? undefined : itemAt(context, namespaceKind, at)) ?? (await freshItem(context, namespaceKind, at));
    if (found === undefined) throw notFound(resources.namespaces, namespace);
    if (found.object.metadata.deletionTimestamp !== undefined) {
      const message = `unable to create new content in namespace ${namespace} because it is being terminated`;
      const cause = {
        reason: "NamespaceTerminating",
        message: `namespace ${namespace} is being terminated`,
        field: "metadata.namespace",
      };
      throw forbiddenWrite(kind, name, message, [cause]);
    }
    return { conditions: [{ key: found.key, modRevision: found.revision }], operations: [] };
  },
};
