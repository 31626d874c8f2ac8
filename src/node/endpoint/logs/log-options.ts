import { ApiError } from "../../../api/status.ts";
import type { LogOptions } from "../../pods/pod-source.ts";
import { isSet } from "../flag.ts";

function count(query: URLSearchParams, name: string, least: number): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  const value = Number(text);
  if (/^-?\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
  throw new ApiError(
    "BadRequest",
    `${name}: ${JSON.stringify(text)} must be a whole number, ${least === 0 ? "not negative" : "1 or more"}`,
  );
}

function timeOf(text: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time)) {
    throw new ApiError("BadRequest", `sinceTime: ${JSON.stringify(text)} must be a time such as 2026-01-31T12:00:00Z`);
  }
  return time;
}

/** Reads the query of a log request, whose words are those of `PodLogOptions`. `now` is in ms. Throws ApiError BadRequest. */
export function logOptions(query: URLSearchParams, now: number): LogOptions {
  const stream = query.get("stream");
  if (stream !== null && stream !== "" && stream !== "All") {
    throw new ApiError("BadRequest", `stream: ${JSON.stringify(stream)} is not kept apart here; it must be All`);
  }
  const sinceTime = query.get("sinceTime") ?? "";
  const sinceSeconds = count(query, "sinceSeconds", 1);
  if (sinceTime !== "" && sinceSeconds !== undefined) {
    throw new ApiError("BadRequest", "at most one of sinceTime or sinceSeconds may be specified");
  }
  return {
    previous: isSet(query, "previous"),
    follow: isSet(query, "follow"),
    timestamps: isSet(query, "timestamps"),
    tailLines: count(query, "tailLines", 0),
    limitBytes: count(query, "limitBytes", 1),
    since: sinceTime !== "" ? timeOf(sinceTime) : sinceSeconds === undefined ? undefined : now - sinceSeconds * 1000,
  };
}
