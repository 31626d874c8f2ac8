import type { Request } from "./exchange.ts";

/** Signs a client's own id may have; a longer one is no id. */
const MAXIMUM_ID = 64;

/** The id by which an answer is found again in a log: the client's own when it sent one, else a new UUID. */
export function auditId(request: Pick<Request, "headers">, random: (length: number) => Uint8Array): string {
  const said = request.headers["audit-id"];
  if (typeof said === "string" && said !== "" && said.length <= MAXIMUM_ID) return said;
  const hex = Buffer.from(random(16)).toString("hex");
  // Version 4 and its variant, RFC 9562 section 5.4.
  const variant = "89ab"[Number.parseInt(hex[16]!, 16) & 3]!;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}
