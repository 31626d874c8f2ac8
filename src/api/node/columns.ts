import type { Node } from "../generated/types.ts";
import type { Cell, Column } from "../kind.ts";
import { age, ageColumn, column, nameColumn, nameOf, wideColumn } from "../meta/columns.ts";

const ROLE_PREFIX = "node-role.kubernetes.io/";
const ROLE_LABEL = "kubernetes.io/role";

/** SVC-317 */
export const columns: readonly Column[] = [
  nameColumn,
  column("Status", "Whether pods can run on it now."),
  column("Roles", "What it is for, from its labels."),
  ageColumn,
  column("Version", "Version of the node agent."),
  wideColumn("Internal-IP", "Its address inside the cluster."),
  wideColumn("External-IP", "Its address outside the cluster."),
  wideColumn("OS-Image", "Its operating system."),
  wideColumn("Kernel-Version", "Its kernel."),
  wideColumn("Container-Runtime", "What runs its containers."),
];

function statusText(node: Node): string {
  const ready = node.status?.conditions?.find((condition) => condition.type === "Ready");
  const said = ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady";
  return node.spec?.unschedulable === true ? `${said},SchedulingDisabled` : said;
}

function rolesText(node: Node): string {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(node.metadata.labels ?? {})) {
    if (key.startsWith(ROLE_PREFIX) && key !== ROLE_PREFIX) roles.add(key.slice(ROLE_PREFIX.length));
    else if (key === ROLE_LABEL && value !== "") roles.add(value);
  }
  return roles.size === 0 ? "<none>" : [...roles].sort().join(",");
}

const addressText = (node: Node, type: string): string =>
  node.status?.addresses?.find((address) => address.type === type)?.address ?? "<none>";

/** SVC-343 */
export function row(node: Node, nowMs: number): Cell[] {
  const info = node.status?.nodeInfo;
  return [
    nameOf(node),
    statusText(node),
    rolesText(node),
    age(node, nowMs),
    info?.kubeletVersion ?? "",
    addressText(node, "InternalIP"),
    addressText(node, "ExternalIP"),
    info?.osImage || "<unknown>",
    info?.kernelVersion || "<unknown>",
    info?.containerRuntimeVersion || "<unknown>",
  ];
}
