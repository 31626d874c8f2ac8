import type { Pod } from "../../../api/generated/types.ts";
import { pod as podKind } from "../../../api/pod/pod.ts";
import type { WatchCache } from "../../cache/watch-cache.ts";
import { objectKey } from "../../keys.ts";
import type { Attributes } from "../attributes.ts";
import { ALLOWED, NO_OPINION, type Authorizer, type Decision } from "../authorizer.ts";
import { NODE_RULES } from "../policy/node.ts";
import { ruleAllows } from "../rbac/matches.ts";
import { nodeOf } from "./identity.ts";
import { Referenced } from "./referenced.ts";
import type { References } from "./references.ts";

type ResourceAttributes = Extract<Attributes, { readonly resource: string }>;

export const NODE_LEASES = "kube-node-lease";

const no = (reason: string): Decision => ({ verdict: "no opinion", reason });
const allowedIf = (allowed: boolean): Decision => (allowed ? ALLOWED : NO_OPINION);

/** `spec.nodeName=NODE` among the terms of a field selector. */
const selectsNode = (fieldSelector: string | undefined, node: string): boolean =>
  (fieldSelector ?? "").split(",").some((term) => /^\s*spec\.nodeName\s*==?\s*(.*?)\s*$/.exec(term)?.[1] === node);

function onNode(node: string, { verb, name, subresource }: ResourceAttributes): Decision {
  if (subresource === "status") return allowedIf(verb === "update" || verb === "patch");
  if (subresource !== "") return NO_OPINION;
  switch (verb) {
    // That it is its own is a matter of admission, which knows the object.
    case "create":
    case "update":
    case "patch":
      return ALLOWED;
    case "get":
    case "list":
    case "watch":
      if (name === node) return ALLOWED;
      if (name === "") return no(`node '${node}' cannot read all nodes, only its own Node object`);
      return no(`node '${node}' cannot read '${name}', only its own Node object`);
    default:
      return NO_OPINION;
  }
}

function onLease(node: string, { verb, name, namespace }: ResourceAttributes): Decision {
  // Where this node's proxy tells how far its rules have come: a pod's end waits for that.
  const isRead = verb === "get" || verb === "list" || verb === "watch";
  if (isRead && namespace === NODE_LEASES && name === `proxy-${node}`) return ALLOWED;
  if (!["get", "create", "update", "patch", "delete"].includes(verb)) {
    return no("can only get, create, update, patch, or delete a node lease");
  }
  if (namespace !== NODE_LEASES) return no(`can only access leases in the "${NODE_LEASES}" system namespace`);
  if (verb === "create" || name === node) return ALLOWED;
  return no("can only access node lease with the same name as the requesting node");
}

/**
 * What a node may do (Kubernetes' Node authorizer): read what its own pods need and nothing of others, tell of itself and of its pods. What
 * depends on the object that is written is left to the admission NodeRestriction.
 */
export function node(cache: WatchCache): Authorizer {
  const referenced = new Referenced(cache);
  const pods = cache.of(podKind);
  const unrelated = (name: string): Decision => no(`no relationship found between node '${name}' and this object`);

  const onReferenced = (nodeName: string, plural: keyof References, attributes: ResourceAttributes): Decision => {
    if (attributes.name === "") return no("No Object name found");
    const { namespace, name } = attributes;
    return referenced.has(nodeName, plural, namespace, name) ? ALLOWED : unrelated(nodeName);
  };
  const onData = (nodeName: string, plural: "secrets" | "configmaps", attributes: ResourceAttributes): Decision => {
    const { verb, subresource, namespace } = attributes;
    if (!["get", "list", "watch"].includes(verb)) return no("can only read resources of this type");
    if (subresource !== "") return no("cannot read subresource");
    if (namespace === "") return no("can only read namespaced object of this type");
    return onReferenced(nodeName, plural, attributes);
  };
  const onClaim = (nodeName: string, attributes: ResourceAttributes): Decision => {
    const { verb, subresource } = attributes;
    if (subresource === "status") {
      if (verb !== "update" && verb !== "patch") return no("can only get/update/patch this type");
      return onReferenced(nodeName, "persistentvolumeclaims", attributes);
    }
    if (verb !== "get") return no("can only get individual resources of this type");
    if (subresource !== "") return no("cannot get subresource");
    return onReferenced(nodeName, "persistentvolumeclaims", attributes);
  };
  const onServiceAccount = (nodeName: string, attributes: ResourceAttributes): Decision => {
    const { verb, subresource, name } = attributes;
    if (verb === "get" && subresource === "") return onReferenced(nodeName, "serviceaccounts", attributes);
    if (verb !== "create" || name === "") return no("can only create tokens for individual service accounts");
    if (subresource !== "token") return no("can only create token subresource of serviceaccount");
    return onReferenced(nodeName, "serviceaccounts", attributes);
  };
  const onPod = (nodeName: string, attributes: ResourceAttributes): Decision => {
    const { verb, subresource, namespace, name, fieldSelector } = attributes;
    if (subresource === "status") return allowedIf(verb === "update" || verb === "patch");
    if (subresource === "eviction") return allowedIf(verb === "create");
    if (subresource !== "") return NO_OPINION;
    if (verb === "create" || verb === "delete") return ALLOWED;
    if (verb !== "get" && verb !== "list" && verb !== "watch") return NO_OPINION;
    if (verb !== "get" && selectsNode(fieldSelector, nodeName)) return ALLOWED;
    if (name === "") return no("can only list/watch pods with spec.nodeName field selector");
    const pod = pods.get(objectKey(podKind, { namespace, name }))?.object as Pod | undefined;
    return pod?.spec?.nodeName === nodeName ? ALLOWED : unrelated(nodeName);
  };

  return {
    name: "Node",
    decide(attributes) {
      const { identity } = attributes;
      const name = nodeOf(identity);
      if (name === undefined) return NO_OPINION;
      if (name === "") return no(`unknown node for user ${JSON.stringify(identity.user)}`);
      if (attributes.resource !== undefined) {
        switch (`${attributes.group}/${attributes.resource}`) {
          case "/secrets":
            return onData(name, "secrets", attributes);
          case "/configmaps":
            return onData(name, "configmaps", attributes);
          case "/serviceaccounts":
            return onServiceAccount(name, attributes);
          case "/persistentvolumeclaims":
            return onClaim(name, attributes);
          case "/nodes":
            return onNode(name, attributes);
          case "/pods":
            return onPod(name, attributes);
          case "coordination.k8s.io/leases":
            return onLease(name, attributes);
          default:
        }
      }
      return allowedIf(NODE_RULES.some((rule) => ruleAllows(rule, attributes)));
    },
    rulesOf: (identity) =>
      nodeOf(identity) === undefined
        ? { rules: [], incomplete: false, errors: [] }
        : { rules: [], incomplete: true, errors: ["node authorizer does not support user rule resolution"] },
  };
}
