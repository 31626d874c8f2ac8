import type { PolicyRule } from "../../api/generated/types.ts";
import { ApiError } from "../../api/status.ts";
import { ANONYMOUS, MASTERS, type Identity } from "../identity/identity.ts";
import type { Attributes } from "./attributes.ts";

/** `no opinion` leaves it to the next judge; when nobody allows a request, it is refused. */
export type Verdict = "allow" | "deny" | "no opinion";

export interface Decision {
  readonly verdict: Verdict;
  /** For people: which role allowed it, or why not. */
  readonly reason: string;
}

/** What a judge knows to allow an identity in a namespace. */
export interface KnownRules {
  readonly rules: readonly PolicyRule[];
  /** It may allow more than these say. */
  readonly incomplete: boolean;
  /** Why rules are missing, for people. */
  readonly errors: readonly string[];
}

/** Judges whether a request may be made. Decides from what is in memory, so that a request costs no question to the store. */
export interface Authorizer {
  readonly name: string;
  decide(attributes: Attributes): Decision;
  /** All rules that allow an identity something in a namespace, for `SelfSubjectRulesReview`. */
  rulesOf?(identity: Identity, namespace: string): KnownRules;
}

export const NO_OPINION: Decision = { verdict: "no opinion", reason: "" };
export const ALLOWED: Decision = { verdict: "allow", reason: "" };

/** Whoever is in `system:masters` may do everything: the way in when the roles are broken. */
export const superuser: Authorizer = {
  name: "superuser",
  decide: ({ identity }) => (identity.groups.includes(MASTERS) ? ALLOWED : NO_OPINION),
};

/** What may be asked without saying who one is. */
const OPEN_PATHS = /^\/(healthz|livez|readyz|version)(\/|$)/;

/** Health and version are for everybody: for a server that is given no roles to go by. */
export const openPaths: Authorizer = {
  name: "open paths",
  decide: ({ resource, verb, path }) =>
    resource === undefined && (verb === "get" || verb === "head") && OPEN_PATHS.test(path) ? ALLOWED : NO_OPINION,
};

/** Everybody known may do everything: for a server that is given no roles to go by. */
export const everybodyKnown: Authorizer = {
  name: "everybody known",
  decide: ({ identity }) => (identity.user === ANONYMOUS.user ? NO_OPINION : ALLOWED),
};

/** The first opinion of several judges counts; without any the request is refused. */
export function inOrder(authorizers: readonly Authorizer[]): Authorizer {
  return {
    name: authorizers.map(({ name }) => name).join(", "),
    decide(attributes) {
      const reasons: string[] = [];
      for (const authorizer of authorizers) {
        const decision = authorizer.decide(attributes);
        if (decision.verdict !== "no opinion") return decision;
        if (decision.reason !== "") reasons.push(decision.reason);
      }
      return { verdict: "no opinion", reason: reasons.join("\n") };
    },
    rulesOf(identity, namespace) {
      const known = authorizers.flatMap((authorizer) => authorizer.rulesOf?.(identity, namespace) ?? []);
      return {
        rules: known.flatMap(({ rules }) => rules),
        incomplete: known.some(({ incomplete }) => incomplete),
        errors: known.flatMap(({ errors }) => errors),
      };
    },
  };
}

/** What was meant, in the words clients know: `cannot list resource "services" in API group "" in the namespace "default"`. */
function meant(attributes: Attributes): string {
  if (attributes.resource === undefined) return `cannot ${attributes.verb} path ${JSON.stringify(attributes.path)}`;
  const { verb, resource, subresource, group, namespace } = attributes;
  const what = subresource === "" ? resource : `${resource}/${subresource}`;
  const where = namespace === "" ? "at the cluster scope" : `in the namespace ${JSON.stringify(namespace)}`;
  return `cannot ${verb} resource ${JSON.stringify(what)} in API group ${JSON.stringify(group)} ${where}`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** What a client wrote must not become a page's markup wherever the message is shown. */
const harmless = (text: string): string => text.replaceAll(/[&<>]/g, (sign) => ENTITIES[sign]!);

/** The refusal of a request that nobody allowed. */
export function forbidden(attributes: Attributes, reason: string): ApiError {
  const who = `User ${JSON.stringify(attributes.identity.user)} ${meant(attributes)}`;
  const why = `${harmless(who)}${reason === "" ? "" : `: ${reason}`}`;
  if (attributes.resource === undefined) return new ApiError("Forbidden", `forbidden: ${why}`, {});
  const { resource, group, name } = attributes;
  const qualified = group === "" ? resource : `${resource}.${group}`;
  return new ApiError(
    "Forbidden",
    `${qualified}${name === "" ? "" : ` ${JSON.stringify(name)}`} is forbidden: ${why}`,
    {
      ...(name === "" ? {} : { name }),
      ...(group === "" ? {} : { group }),
      kind: resource,
    },
  );
}
