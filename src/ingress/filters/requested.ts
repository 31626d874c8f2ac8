import type { RequestHead } from "../request.ts";
import { encodedBytes } from "./encoded.ts";

const HOST = /^(?:[a-z0-9._-]{1,255}|\[[0-9a-f:.]{2,45}\])$/i;
const AUTHORITY = /^(?:[a-z0-9._-]{1,255}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

/** The host that was asked for, without port; undefined where there is none that could stand in a URL. */
export function requestedHost({ authority }: RequestHead): string | undefined {
  const host = authority.replace(/:\d*$/, "").toLowerCase();
  return HOST.test(host) ? host : undefined;
}

/** The same with its port. */
export const requestedAuthority = ({ authority }: RequestHead): string | undefined =>
  AUTHORITY.test(authority) ? authority : undefined;

/** Path and query, fit for a URL; begins with a slash. */
export const requestedTarget = ({ target }: RequestHead): string =>
  target.startsWith("/") ? encodedBytes(target) : "/";
