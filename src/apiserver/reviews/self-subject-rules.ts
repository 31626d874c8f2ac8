import type { PolicyRule, ResourceRule, SelfSubjectRulesReview } from "../../api/generated/types.ts";
import { joinErrors } from "../access/rbac/roles.ts";
import { badRequest } from "../errors.ts";
import { AUTHORIZATION, specOf } from "./access.ts";
import { reviewResource, type Review } from "./review.ts";

const resourceRule = ({ verbs, apiGroups, resources, resourceNames }: PolicyRule): ResourceRule => ({
  verbs,
  apiGroups,
  resources,
  ...(resourceNames === undefined ? {} : { resourceNames }),
});

/** What all may I do in this namespace? (`kubectl auth can-i --list`) */
export const selfSubjectRulesReview: Review = {
  ...reviewResource(AUTHORIZATION, "selfsubjectrulesreviews", "SelfSubjectRulesReview"),
  answer(given, { exchange }, context): SelfSubjectRulesReview {
    const namespace = specOf(given as SelfSubjectRulesReview).namespace ?? "";
    if (namespace === "") throw badRequest("no namespace on request");
    const known = context.authorizer.rulesOf?.(exchange.identity, namespace);
    const rules = known?.rules ?? [];
    const errors = known?.errors ?? [];
    return {
      apiVersion: given.apiVersion,
      kind: "SelfSubjectRulesReview",
      metadata: {},
      spec: {},
      status: {
        resourceRules: rules.filter(({ resources = [] }) => resources.length > 0).map(resourceRule),
        nonResourceRules: rules.flatMap(({ verbs, nonResourceURLs = [] }) =>
          nonResourceURLs.length === 0 ? [] : [{ verbs, nonResourceURLs }],
        ),
        incomplete: known?.incomplete ?? true,
        ...(errors.length === 0 ? {} : { evaluationError: joinErrors(errors) }),
      },
    };
  },
};
