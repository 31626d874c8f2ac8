import type { SubjectAccessReview } from "../../api/generated/types.ts";
import {
  accessOf,
  AUTHORIZATION,
  refuseFaulty,
  specOf,
  subjectOf,
  validateQuestion,
  validateSubject,
} from "./access.ts";
import { reviewResource, type Review } from "./review.ts";

/** May this user, or whoever is in these groups, do this? */
export const subjectAccessReview: Review = {
  ...reviewResource(AUTHORIZATION, "subjectaccessreviews", "SubjectAccessReview"),
  answer(given, _request, context): SubjectAccessReview {
    const question = given as SubjectAccessReview;
    const spec = specOf(question);
    refuseFaulty(validateQuestion(question, spec, validateSubject(spec)));
    return { ...question, spec, status: accessOf(context, subjectOf(spec), spec) };
  },
};
