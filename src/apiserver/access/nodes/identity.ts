import type { Identity } from "../../identity/identity.ts";

/** The group that every node is in, and the beginning of its user's name. */
const NODES = "system:nodes";
const PREFIX = "system:node:";

/** The name of the node that an identity is; undefined for whoever is no node. */
export const nodeOf = ({ user, groups }: Identity): string | undefined =>
  user.startsWith(PREFIX) && groups.includes(NODES) ? user.slice(PREFIX.length) : undefined;
