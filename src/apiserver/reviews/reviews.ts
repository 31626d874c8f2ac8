import type { Review } from "./review.ts";
import { selfSubjectReview } from "./self-subject.ts";
import { tokenReview } from "./token-review.ts";

/** Every question this server answers. */
export const reviews: readonly Review[] = [selfSubjectReview, tokenReview];
