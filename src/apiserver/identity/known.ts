import { ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED, type Identity } from "./identity.ts";

/** The identity with the group of everybody known, unless it says itself whether it is known. */
export function authenticated(identity: Identity): Identity {
  const { user, groups } = identity;
  if (user === ANONYMOUS.user || groups.includes(AUTHENTICATED) || groups.includes(UNAUTHENTICATED)) return identity;
  return { ...identity, groups: [...groups, AUTHENTICATED] };
}
