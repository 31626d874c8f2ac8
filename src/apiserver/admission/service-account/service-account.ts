import type { Pod, ServiceAccount } from "../../../api/generated/types.ts";
import { pods, serviceAccounts } from "../../../api/resources.ts";
import { isMirrorPod } from "../../access/nodes/mirror-pod.ts";
import type { Context } from "../../context.ts";
import { forbiddenWrite } from "../../errors.ts";
import { freshItem, itemAt } from "../../write.ts";
import type { Admission } from "../admission.ts";
import { wantsToken, withToken } from "./mount-token.ts";

const DEFAULT = "default";
/** Signs of generated names, as for `generateName`. */
const SIGNS = "bcdfghjklmnpqrstvwxz2456789";

/** The ServiceAccount as the store has it, where the cache does not know it yet. */
async function accountOf(
  context: Context,
  namespace: string | undefined,
  name: string,
): Promise<ServiceAccount | undefined> {
  const kind = context.kinds.find(serviceAccounts.group, serviceAccounts.version, serviceAccounts.plural);
  if (kind === undefined) return undefined;
  const at = { namespace, name };
  const item = itemAt(context, kind, at) ?? (await freshItem(context, kind, at));
  return item?.object as ServiceAccount | undefined;
}

/**
 * Gives each new pod a ServiceAccount, and its containers the account's token where programs look for one. The account must be
 * there, but for `default`: a controller makes that of a new namespace a moment later, and a pod that comes first waits on its
 * node for the token. Pods that a node shows of its own accord are left as they are.
 */
export const serviceAccount: Admission = {
  name: "ServiceAccount",
  async mutate({ operation, kind, subresource, namespace, name, next }, context) {
    const isPod = kind.group === pods.group && kind.plural === pods.plural;
    if (!isPod || operation !== "create" || subresource !== undefined) return next;
    const pod = next as Pod;
    if (pod.spec === undefined || isMirrorPod(pod)) return pod;
    const serviceAccountName = pod.spec.serviceAccountName || DEFAULT;
    const account = await accountOf(context, namespace, serviceAccountName);
    if (account === undefined && serviceAccountName !== DEFAULT) {
      const missing = `error looking up service account ${namespace}/${serviceAccountName}: serviceaccount ${JSON.stringify(serviceAccountName)} not found`;
      throw forbiddenWrite(kind, name, missing);
    }
    const spec = { ...pod.spec, serviceAccountName, serviceAccount: serviceAccountName };
    const suffix = (): string => [...context.random(5)].map((byte) => SIGNS[byte % SIGNS.length]!).join("");
    const given: Pod = { ...pod, spec: wantsToken(pod, account ?? {}) ? withToken(spec, suffix) : spec };
    return given;
  },
};
