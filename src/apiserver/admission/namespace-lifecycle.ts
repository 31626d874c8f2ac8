import * as resources from "../../api/resources.ts";
import { forbiddenWrite, notFound } from "../errors.ts";
import type { Item } from "../cache/item.ts";
import type { Context } from "../context.ts";
import { freshItem, itemAt } from "../write.ts";
import { NOTHING_BESIDE, type Admission, type AdmissionRequest } from "./admission.ts";

/** Namespaces that clients rely on: they cannot be deleted. */
const FOR_GOOD = new Set(["default", "kube-system", "kube-public"]);

/** The namespace that a new object is to be in; undefined where no namespace matters. @throws ApiError NotFound, Forbidden */
async function namespaceOf(
  { operation, kind, namespace, name, isRetry }: AdmissionRequest,
  context: Context,
): Promise<Item | undefined> {
  const namespaceKind = context.kinds.find("", "v1", "namespaces");
  if (operation !== "create" || !kind.namespaced || namespace === undefined || namespaceKind === undefined) {
    return undefined;
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
  return found;
}

/**
 * Objects are only created in a namespace that is there and not on its way out (SVC-202). That is told before anything else of the object is
 * judged (SVC-107), and the condition makes it true in the same transaction, so that nothing appears in a namespace that has just gone.
 */
export const namespaceLifecycle: Admission = {
  name: "NamespaceLifecycle",
  async mutate(request, context) {
    await namespaceOf(request, context);
    return request.next;
  },
  async admit(request, context) {
    const { operation, kind, name } = request;
    if (operation === "delete") {
      if (kind.group === "" && kind.plural === "namespaces" && FOR_GOOD.has(name)) {
        throw forbiddenWrite(kind, name, "this namespace may not be deleted");
      }
      return NOTHING_BESIDE;
    }
    const found = await namespaceOf(request, context);
    return found === undefined
      ? NOTHING_BESIDE
      : { conditions: [{ key: found.key, modRevision: found.revision }], operations: [] };
  },
};
