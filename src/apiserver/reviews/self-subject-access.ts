import type { SelfSubjectAccessReview } from "../../api/generated/types.ts";
import { accessOf, AUTHORIZATION, refuseFaulty, specOf, validateQuestion } from "./access.ts";
import { reviewResource, type Review } from "./review.ts";

/** May I do this? (`kubectl auth can-i`) */
export const selfSubjectAccessReview: Review = {
  ...reviewResource(AUTHORIZATION, "selfsubjectaccessreviews", "SelfSubjectAccessReview"),
  answer(given, { exchange }, context): SelfSubjectAccessReview {
    const question = given as SelfSubjectAccessReview;
    const spec = specOf(question);
    refuseFaulty(validateQuestion(question, spec));
    return { ...question, spec, status: accessOf(context, exchange.identity, spec) };
  },
};
