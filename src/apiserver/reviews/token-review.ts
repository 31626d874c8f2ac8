import type { TokenReview } from "../../api/generated/types.ts";
import { badRequest } from "../errors.ts";
import { reviewResource, type Review } from "./review.ts";
import { userInfo } from "./user-info.ts";

/** Whom does this token speak for, for one of these audiences? Asked by services that are given tokens of their clients. */
export const tokenReview: Review = {
  ...reviewResource("authentication.k8s.io", "tokenreviews", "TokenReview"),
  async answer(question, _, { tokens, judgeToken }): Promise<TokenReview> {
    const { spec, status: _said, ...rest } = question as TokenReview;
    // The spec is required by type alone: a client may send none.
    const { token = "", audiences = [] } = (spec as TokenReview["spec"] | undefined) ?? {};
    if (token === "") throw badRequest("token is required for TokenReview in authentication");
    const verdict = await judgeToken(token, audiences.length === 0 ? tokens.audiences : audiences);
    return {
      ...rest,
      spec,
      status:
        "refused" in verdict
          ? { user: {}, error: verdict.refused }
          : { authenticated: true, user: userInfo(verdict.identity), audiences: [...verdict.audiences] },
    };
  },
};
