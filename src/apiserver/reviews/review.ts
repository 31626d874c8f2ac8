import type { KubeObject, Resource } from "../../api/object.ts";
import type { Context } from "../context.ts";
import type { Exchange } from "../http/exchange.ts";

/** What a review is given beside the question itself. */
export interface ReviewRequest {
  readonly exchange: Exchange;
  /** The namespace of the URL, for reviews that are asked within one. */
  readonly namespace: string | undefined;
}

/**
 * A question that is asked by creating an object, answered in the object that comes back, and never stored (`SelfSubjectReview`,
 * `SubjectAccessReview`, …).
 */
export interface Review extends Resource {
  readonly singular: string;
  /** Name of the root type in the generated field table. */
  readonly type: string;
  /** The question with its answer. @throws ApiError for a question that cannot be answered */
  answer(question: KubeObject, request: ReviewRequest, context: Context): KubeObject | Promise<KubeObject>;
}

/** A review as its documents and its URL name it. */
export const reviewResource = (group: string, plural: string, kind: string, namespaced = false) => ({
  group,
  version: "v1",
  plural,
  kind,
  namespaced,
  singular: kind.toLowerCase(),
  type: kind,
});
