import { ApiError } from "../../api/status.ts";
import type { ContainerAddress } from "../pods/pod-source.ts";

export type Operation = "containerLogs" | "exec" | "attach" | "portForward" | "dial" | "healthz";

/** What a URL of the node endpoint is about. */
export interface Target {
  readonly operation: Operation;
  /** Names are empty where the path has none. */
  readonly at: ContainerAddress;
  /** All that follows the operation, decoded. */
  readonly names: readonly string[];
  readonly query: URLSearchParams;
}

/** How many names follow the operation in its path. */
const NAMES: Readonly<Record<Operation, number>> = {
  containerLogs: 3,
  exec: 3,
  attach: 3,
  portForward: 2,
  dial: 4,
  healthz: 0,
};

/** Reads kubelet's paths, such as `/exec/NAMESPACE/POD/CONTAINER?command=…`. Throws ApiError NotFound. */
export function readTarget(url: string): Target {
  const [path = "", ...rest] = url.split("?");
  const [, operation = "", ...names] = path.split("/");
  const wanted = Object.hasOwn(NAMES, operation) ? NAMES[operation as Operation] : undefined;
  if (wanted === undefined || names.length !== wanted || names.includes("")) {
    throw new ApiError("NotFound", `the node endpoint has no path ${path}`);
  }
  let decoded: string[];
  try {
    decoded = names.map(decodeURIComponent);
  } catch (cause) {
    throw new ApiError("BadRequest", `the path ${path} is not percent-encoded UTF-8`, undefined, { cause });
  }
  const [namespace = "", pod = "", container = ""] = decoded;
  return {
    operation: operation as Operation,
    at: { namespace, pod, container },
    names: decoded,
    query: new URLSearchParams(rest.join("?")),
  };
}
