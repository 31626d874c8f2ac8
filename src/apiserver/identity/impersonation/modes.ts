import type { Identity } from "../identity.ts";
import { serviceAccountOf } from "../service-account.ts";
import type { Wanted } from "./wanted.ts";

/** A way in which a request may be allowed to speak for somebody else (Kubernetes KEP-5284 and what was before it). */
export interface Mode {
  /**
   * Its verbs are `impersonate:NAME` on whom is meant and `impersonate-on:NAME:VERB` on what is asked for. Undefined is the old way: the one
   * verb `impersonate`, whatever is asked for.
   */
  readonly name: string | undefined;
  /** True when this way leads to such a user at all. */
  leadsTo(wanted: Wanted, requestor: Identity): boolean;
}

const NODE = /^system:node:(?<name>[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)$/;
const NODE_NAME = "authentication.kubernetes.io/node-name";

/** The Node that a user name stands for. */
export const nodeOf = (user: string): string | undefined => NODE.exec(user)?.groups?.["name"];

const isOnlyName = ({ uid, groups, extra }: Wanted): boolean =>
  uid === "" && groups.length === 0 && Object.keys(extra).length === 0;

/** In the order they are tried. Who may use a narrow way needs no wide one. */
export const MODES: readonly Mode[] = [
  {
    // A ServiceAccount whose token tells on which Node it is may speak for just that Node.
    name: "associated-node",
    leadsTo(wanted, { user, extra }) {
      const node = nodeOf(wanted.user);
      const [own, ...others] = extra?.[NODE_NAME] ?? [];
      if (node === undefined || serviceAccountOf(user) === undefined || others.length > 0) return false;
      return isOnlyName(wanted) && own === node;
    },
  },
  { name: "arbitrary-node", leadsTo: (wanted) => isOnlyName(wanted) && nodeOf(wanted.user) !== undefined },
  { name: "serviceaccount", leadsTo: (wanted) => isOnlyName(wanted) && serviceAccountOf(wanted.user) !== undefined },
  {
    name: "user-info",
    leadsTo: ({ user }) => nodeOf(user) === undefined && serviceAccountOf(user) === undefined,
  },
  { name: undefined, leadsTo: () => true },
];
