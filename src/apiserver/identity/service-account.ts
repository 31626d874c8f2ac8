import { AUTHENTICATED, type Identity } from "./identity.ts";

/** `system:serviceaccount:NAMESPACE:NAME`, and nothing but names that objects can have (RFC 1123 label and subdomain). */
const USERNAME =
  /^system:serviceaccount:(?<namespace>[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?):(?<name>[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)$/;
const LONGEST_NAME = 253;

/** What names a ServiceAccount. */
export interface ServiceAccountName {
  readonly namespace: string;
  readonly name: string;
}

/** The user that a ServiceAccount is to every judge of requests. */
export const usernameOf = ({ namespace, name }: ServiceAccountName): string =>
  `system:serviceaccount:${namespace}:${name}`;

/** The ServiceAccount that a user name stands for; undefined for every other user. */
export function serviceAccountOf(user: string): ServiceAccountName | undefined {
  const found = USERNAME.exec(user)?.groups;
  if (found === undefined || found["name"]!.length > LONGEST_NAME) return undefined;
  return { namespace: found["namespace"]!, name: found["name"]! };
}

/** The groups of every ServiceAccount of a namespace, without the group of everybody known. */
export const groupsOf = (namespace: string): string[] => [
  "system:serviceaccounts",
  `system:serviceaccounts:${namespace}`,
];

export const serviceAccountIdentity = (
  account: ServiceAccountName & { readonly uid: string },
  extra?: Identity["extra"],
): Identity => ({
  user: usernameOf(account),
  uid: account.uid,
  groups: [...groupsOf(account.namespace), AUTHENTICATED],
  ...(extra === undefined ? {} : { extra }),
});
