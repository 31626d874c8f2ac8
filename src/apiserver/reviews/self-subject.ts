import type { SelfSubjectReview } from "../../api/generated/types.ts";
import { timestamp } from "../../observe/clock.ts";
import { reviewResource, type Review } from "./review.ts";
import { userInfo } from "./user-info.ts";

/** Who am I? Answered from how the question was asked (`kubectl auth whoami`). */
export const selfSubjectReview: Review = {
  ...reviewResource("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview"),
  answer: (question, { exchange }, { clock }): SelfSubjectReview => ({
    ...(question as SelfSubjectReview),
    metadata: { ...question.metadata, creationTimestamp: timestamp(clock.now()) },
    status: { userInfo: userInfo(exchange.identity) },
  }),
};
