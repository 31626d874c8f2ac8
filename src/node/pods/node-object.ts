import type { Node } from "../../api/generated/types.ts";

/** What events about a node are told of. Nodes' events carry the name as uid, by which kubectl finds them. */
export const nodeObject = (name: string): Node => ({ apiVersion: "v1", kind: "Node", metadata: { name, uid: name } });
