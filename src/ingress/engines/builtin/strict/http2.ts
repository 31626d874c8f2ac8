import type { IncomingHttpHeaders } from "node:http2";
import { fault, TARGET, type HeadFault } from "./fault.ts";
import { isHost } from "./host.ts";

/** What HTTP/2's own rules let through, and is not passed on. Undefined: nothing. Pure, and run for each request. */
export function http2Fault(
  headers: IncomingHttpHeaders,
  rawHeaders: readonly string[],
  headSize: number,
): HeadFault | undefined {
  // A client that has not agreed to our settings yet is not held to their bound by HTTP/2.
  let size = 0;
  for (const text of rawHeaders) size += text.length;
  if (size > headSize) return fault(431, `a head of ${size} bytes`);
  const { ":method": method, ":path": path, ":authority": authority, ":scheme": scheme, host } = headers;
  if (method === "TRACE") return fault(405, method);
  // CONNECT to a host and port; with a protocol it is a tunnel to a path (RFC 8441).
  if (method === "CONNECT" && headers[":protocol"] === undefined) return fault(405, method);
  if (scheme !== "https" && scheme !== "http") return fault(400, "its scheme is neither http nor https");
  if (path === undefined || !TARGET.test(path)) return fault(400, "the target has characters that must be encoded");
  if (!path.startsWith("/") && !(path === "*" && method === "OPTIONS")) return fault(400, "the target is no path");
  const asked = authority ?? host;
  if (asked === undefined || !isHost(asked)) return fault(400, "its authority is none");
  // A server behind us may go by either (RFC 9113 §8.3.1).
  if (host !== undefined && authority !== undefined && host.toLowerCase() !== authority.toLowerCase())
    return fault(400, "Host is another than its authority");
  const { "content-length": length } = headers;
  if (length !== undefined && !/^\d{1,15}$/.test(length)) return fault(400, "Content-Length is no number of bytes");
  return undefined;
}
