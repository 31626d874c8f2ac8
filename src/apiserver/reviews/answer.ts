import { methodNotAllowed } from "../errors.ts";
import type { Context } from "../context.ts";
import { readObject } from "../http/decode-object.ts";
import type { Exchange } from "../http/exchange.ts";
import { sendJson } from "../http/respond.ts";
import { decodedPath } from "../segments.ts";
import type { Review } from "./review.ts";
import { reviews } from "./reviews.ts";

const PATH = /^\/apis\/(?<group>[^/]+)\/(?<version>[^/]+)\/(?:namespaces\/(?<namespace>[^/]+)\/)?(?<plural>[^/]+)\/*$/;

function reviewAt(path: string): { review: Review; namespace: string | undefined } | undefined {
  const found = PATH.exec(decodedPath(path))?.groups;
  if (found === undefined) return undefined;
  const { group, version, plural, namespace } = found;
  const review = reviews.find(
    (one) =>
      one.group === group &&
      one.version === version &&
      one.plural === plural &&
      one.namespaced === (namespace !== undefined),
  );
  return review && { review, namespace };
}

/** Answers a question. False when the path is none of a review's. */
export async function answerReview(context: Context, exchange: Exchange): Promise<boolean> {
  const found = reviewAt(exchange.path);
  if (found === undefined) return false;
  if (exchange.method !== "POST") throw methodNotAllowed();
  const question = await readObject(exchange, found.review);
  const answered = await found.review.answer(question, { exchange, namespace: found.namespace }, context);
  await sendJson(exchange, 201, answered);
  return true;
}
