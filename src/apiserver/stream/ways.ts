import type { Pod } from "../../api/generated/types.ts";
import { ApiError } from "../../api/status.ts";
import type { Context } from "../context.ts";
import { badRequest } from "../errors.ts";
import type { Streams } from "../streams.ts";

/** The server's way to its nodes. @throws ApiError ServiceUnavailable when it was given none */
export function streamsOf(context: Context): Streams {
  if (context.streams !== undefined) return context.streams;
  throw new ApiError("ServiceUnavailable", "this server has no way to its nodes");
}

/** The node that runs the pod. @throws ApiError BadRequest */
export function nodeOf(pod: Pod): string {
  const nodeName = pod.spec?.nodeName;
  if (nodeName) return nodeName;
  throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
}

/** A path of the node endpoint. */
export const nodePath = (...segments: (string | undefined)[]): string =>
  segments.map((segment) => `/${encodeURIComponent(segment ?? "")}`).join("");
