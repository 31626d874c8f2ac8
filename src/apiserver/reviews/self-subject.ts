import type { SelfSubjectReview } from "../../api/generated/types.ts";
import { reviewResource, type Review } from "./review.ts";

/** Who am I? Answered from how the question was asked (`kubectl auth whoami`). */
export const selfSubjectReview: Review = {
  ...reviewResource("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview"),
  answer(question, { exchange }): SelfSubjectReview {
    const { user, uid, groups, extra } = exchange.identity;
    return {
      ...(question as SelfSubjectReview),
      status: {
        userInfo: {
          username: user,
          ...(uid === undefined ? {} : { uid }),
          groups: [...groups],
          ...(extra === undefined
            ? {}
            : { extra: Object.fromEntries(Object.entries(extra).map(([name, values]) => [name, [...values]])) }),
        },
      },
    };
  },
};
