import { localSubjectAccessReview } from "./local-subject-access.ts";
import type { Review } from "./review.ts";
import { selfSubjectAccessReview } from "./self-subject-access.ts";
import { selfSubjectRulesReview } from "./self-subject-rules.ts";
import { selfSubjectReview } from "./self-subject.ts";
import { subjectAccessReview } from "./subject-access.ts";
import { tokenReview } from "./token-review.ts";

/** Every question this server answers. */
export const reviews: readonly Review[] = [
  selfSubjectReview,
  tokenReview,
  localSubjectAccessReview,
  selfSubjectAccessReview,
  selfSubjectRulesReview,
  subjectAccessReview,
];
