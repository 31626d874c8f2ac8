import type { Lease, Node } from "../../api/generated/types.ts";
import { leases } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import type { Client } from "../../client/client.ts";
import { microTimestamp } from "../../observe/clock.ts";

/** Where the leases of all nodes are. */
const NAMESPACE = "kube-node-lease";
/** For how long a renewal counts, in seconds; it is renewed four times as often (the kubelet's own figures). */
export const LEASE_SECONDS = 40;

/** The Lease by which others see that the node is alive. It goes with its Node. */
const leaseObject = (node: Node, now: number): Lease => ({
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: {
    name: node.metadata.name ?? "",
    namespace: NAMESPACE,
    ownerReferences: [{ apiVersion: "v1", kind: "Node", name: node.metadata.name ?? "", uid: node.metadata.uid ?? "" }],
  },
  spec: {
    holderIdentity: node.metadata.name,
    leaseDurationSeconds: LEASE_SECONDS,
    renewTime: microTimestamp(now),
  },
});

/**
 * Renews the lease of a node; makes it where there is none. `isKnown`: we have written it whole before, so that only the time
 * is sent.
 */
export async function renewLease(
  client: Client,
  node: Node,
  now: number,
  isKnown: boolean,
  signal: AbortSignal,
): Promise<void> {
  const lease = leaseObject(node, now);
  const at = { namespace: NAMESPACE, name: lease.metadata.name ?? "" };
  const { metadata, spec } = lease;
  const patch = isKnown
    ? { spec: { renewTime: spec?.renewTime } }
    : { metadata: { ownerReferences: metadata.ownerReferences }, spec };
  try {
    await client.patch(leases, at, "merge", patch, {}, signal);
  } catch (error) {
    if (!isApiError(error, "NotFound")) throw error;
    await client.create(leases, lease, {}, signal);
  }
}
