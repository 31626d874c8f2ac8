import { fault, TARGET, type HeadFault } from "./fault.ts";
import { isHost } from "./host.ts";

/** A head as Node's parser gives it. */
export interface Http1Head {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly httpVersionMajor: number;
  readonly httpVersionMinor: number;
  readonly rawHeaders: readonly string[];
}

const ABSOLUTE = /^https?:\/\/([^/?]*)/i;

/**
 * What the parser lets through, and two servers could read in two ways (RFC 9112 §11.2), so that no request is hidden in another; and what no
 * proxy of this side does. Undefined: nothing. Pure, and run for each request.
 */
export function http1Fault(head: Http1Head, headerCount: number): HeadFault | undefined {
  const { method = "", url = "", httpVersionMinor: minor, rawHeaders } = head;
  if (head.httpVersionMajor !== 1 || minor > 1) return fault(505, `HTTP/${head.httpVersionMajor}.${minor}`);
  if (method === "TRACE" || method === "CONNECT") return fault(405, method);
  if (rawHeaders.length > headerCount * 2) return fault(431, `${rawHeaders.length / 2} header lines`);
  if (!TARGET.test(url)) return fault(400, "the target has characters that must be encoded");
  let host: string | undefined;
  let length: string | undefined;
  let coding: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    // Most names are told apart by their length.
    if (name.length === 4 && name.toLowerCase() === "host") {
      if (host !== undefined) return fault(400, "several Host");
      host = rawHeaders[at + 1]!;
    } else if (name.length === 14 && name.toLowerCase() === "content-length") {
      if (length !== undefined) return fault(400, "several Content-Length");
      length = rawHeaders[at + 1]!;
    } else if (name.length === 17 && name.toLowerCase() === "transfer-encoding") {
      if (coding !== undefined) return fault(400, "several Transfer-Encoding");
      coding = rawHeaders[at + 1]!;
    }
  }
  if (host === undefined ? minor === 1 : !isHost(host))
    return fault(400, host === undefined ? "no Host" : "Host is none");
  if (length !== undefined && !/^\d{1,15}$/.test(length)) return fault(400, "Content-Length is no number of bytes");
  if (coding !== undefined) {
    if (length !== undefined) return fault(400, "both Content-Length and Transfer-Encoding");
    if (minor === 0) return fault(400, "Transfer-Encoding in HTTP/1.0");
    if (coding.toLowerCase() !== "chunked") return fault(501, "a Transfer-Encoding other than chunked");
  }
  return url.startsWith("/") || (url === "*" && method === "OPTIONS") ? undefined : absoluteFault(url, host);
}

/** A target with a scheme and a host must be for the host that Host says, which may be what a server behind us goes by. */
function absoluteFault(url: string, host: string | undefined): HeadFault | undefined {
  const authority = ABSOLUTE.exec(url)?.[1];
  if (authority === undefined) return fault(400, "the target is neither a path nor absolute");
  if (host === undefined ? !isHost(authority) : authority.toLowerCase() !== host.toLowerCase())
    return fault(400, "the target is for another host than Host");
  return undefined;
}
