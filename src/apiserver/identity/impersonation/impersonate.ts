import type { Attributes, RequestInfo } from "../../access/attributes.ts";
import { forbidden, type Authorizer } from "../../access/authorizer.ts";
import { isApiError } from "../../../api/status.ts";
import { ANONYMOUS, AUTHENTICATED, MASTERS, UNAUTHENTICATED, type Identity } from "../identity.ts";
import { groupsOf, serviceAccountOf } from "../service-account.ts";
import { MODES, nodeOf, type Mode } from "./modes.ts";
import type { Wanted } from "./wanted.ts";

const AUTHENTICATION = "authentication.k8s.io";
const NODES = "system:nodes";

interface Target {
  readonly resource: string;
  readonly group: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name: string;
}

/** A key of `extra` as the narrow ways want it: `example.com/path` in small letters. */
const EXTRA_KEY = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/[-a-z0-9/_.~%!$&'()*+,;=:]+$/;

/** What nobody may be by a narrow way; the old one knows no such bounds. */
function whyNever({ groups, extra }: Wanted): { target: Target; why: string } | undefined {
  const never = (resource: string, name: string, why: string) => ({
    target: { resource, group: AUTHENTICATION, name },
    why,
  });
  if (groups.includes("")) return never("groups", "", "impersonating the empty string group is not allowed");
  if (groups.includes(MASTERS)) return never("groups", MASTERS, `impersonating the ${MASTERS} group is not allowed`);
  for (const [key, values] of Object.entries(extra)) {
    if (!EXTRA_KEY.test(key)) {
      return never("userextras", "", `impersonating an invalid key in extra is not allowed: ${JSON.stringify(key)}`);
    }
    if (values.includes("")) {
      return never("userextras", "", "impersonating the empty string value in extra is not allowed");
    }
  }
  return undefined;
}

/** What the user name is to those who allow: a ServiceAccount, a Node (by narrow ways only), or any user. */
function userTarget({ user }: Wanted, { name }: Mode): Target {
  const group = name === undefined ? "" : AUTHENTICATION;
  const account = serviceAccountOf(user);
  if (account !== undefined) return { resource: "serviceaccounts", group, ...account };
  const node = nodeOf(user);
  if (name === undefined || node === undefined) return { resource: "users", group, name: user };
  // Whoever may be the Node it is on may be so on every Node.
  return { resource: "nodes", group, name: name === "associated-node" ? "*" : node };
}

/** Who somebody wants to be: the name, and the UID where one is asked for. */
const nameTargets = (wanted: Wanted, mode: Mode): Target[] => [
  userTarget(wanted, mode),
  ...(wanted.uid === "" ? [] : [{ resource: "uids", group: AUTHENTICATION, name: wanted.uid }]),
];

/** What more is to be true of that user. */
function factTargets(wanted: Wanted, mode: Mode): Target[] {
  const group = mode.name === undefined ? "" : AUTHENTICATION;
  return [
    ...wanted.groups.map((name) => ({ resource: "groups", group, name })),
    ...Object.entries(wanted.extra).flatMap(([key, values]) =>
      values.map((name) => ({ resource: "userextras", group: AUTHENTICATION, subresource: key, name })),
    ),
  ];
}

const attributesFor = (identity: Identity, verb: string, target: Target): Attributes => ({
  identity,
  verb,
  version: "v1",
  subresource: "",
  namespace: "",
  path: "",
  ...target,
});

/** The groups of users whose groups follow from their name, when none are asked for. */
function groupsByName({ user, groups }: Wanted, mode: Mode): readonly string[] {
  if (groups.length > 0) return groups;
  const account = serviceAccountOf(user);
  if (account !== undefined) return groupsOf(account.namespace);
  return mode.name !== undefined && nodeOf(user) !== undefined ? [NODES] : [];
}

function withKnownGroup(user: string, groups: readonly string[]): readonly string[] {
  const isKnown = user !== ANONYMOUS.user && !groups.includes(UNAUTHENTICATED);
  const group = isKnown ? AUTHENTICATED : UNAUTHENTICATED;
  return groups.includes(group) ? groups : [...groups, group];
}

/** @throws ApiError Forbidden */
function enter(mode: Mode, wanted: Wanted, info: RequestInfo, requestor: Identity, authorizer: Authorizer): Identity {
  const check = (attributes: Attributes): void => {
    const { verdict, reason } = authorizer.decide(attributes);
    if (verdict !== "allow") throw forbidden(attributes, reason);
  };
  const verb = mode.name === undefined ? "impersonate" : `impersonate:${mode.name}`;
  if (mode.name !== undefined) {
    check({ ...info, verb: `impersonate-on:${mode.name}:${info.verb}`, identity: requestor });
  }
  for (const target of nameTargets(wanted, mode)) check(attributesFor(requestor, verb, target));
  const never = mode.name === undefined ? undefined : whyNever(wanted);
  if (never !== undefined) throw forbidden(attributesFor(requestor, verb, never.target), never.why);
  for (const target of factTargets(wanted, mode)) check(attributesFor(requestor, verb, target));
  const { user, uid, extra } = wanted;
  return {
    user,
    ...(uid === "" ? {} : { uid }),
    groups: withKnownGroup(user, groupsByName(wanted, mode)),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

/**
 * The user that a request is taken to come from, when the one who makes it may speak for that user.
 *
 * @throws ApiError Forbidden, in the words of the first way that would have led there
 */
export function impersonate(wanted: Wanted, info: RequestInfo, requestor: Identity, authorizer: Authorizer): Identity {
  let first: unknown;
  for (const mode of MODES) {
    if (!mode.leadsTo(wanted, requestor)) continue;
    try {
      return enter(mode, wanted, info, requestor, authorizer);
    } catch (error) {
      if (!isApiError(error, "Forbidden")) throw error;
      first ??= error;
    }
  }
  throw first;
}
