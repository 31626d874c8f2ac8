import { BEARER_PROTOCOL } from "../identity/bearer.ts";

/** What names the client to us and is not for the node, and what is said anew for the connection to the node. */
const OURS = new Set([
  "host",
  "authorization",
  "cookie",
  "connection",
  "upgrade",
  "content-length",
  "transfer-encoding",
]);

const isOurs = (name: string): boolean => OURS.has(name) || name.startsWith("impersonate-");

/** The subprotocols that a node may answer with: the client's token is none of them. */
const withoutBearer = (protocols: string): string =>
  protocols
    .split(",")
    .map((protocol) => protocol.trim())
    .filter((protocol) => !protocol.startsWith(BEARER_PROTOCOL))
    .join(", ");

/** The request line and headers by which a client's upgrade request goes on to a node: same method, other path. */
export function upgradeHead(method: string, path: string, nodeName: string, raw: readonly string[]): string {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${nodeName}`];
  let protocol = "";
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const [name, value] = [raw[index]!, raw[index + 1]!];
    if (name.toLowerCase() === "upgrade") protocol = value;
    if (isOurs(name.toLowerCase())) continue;
    lines.push(`${name}: ${name.toLowerCase() === "sec-websocket-protocol" ? withoutBearer(value) : value}`);
  }
  lines.push("Connection: Upgrade", `Upgrade: ${protocol}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}
