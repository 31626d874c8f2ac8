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

/** The request line and headers by which a client's upgrade request goes on to a node: same method, other path. */
export function upgradeHead(method: string, path: string, nodeName: string, raw: readonly string[]): string {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${nodeName}`];
  let protocol = "";
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const [name, value] = [raw[index]!, raw[index + 1]!];
    if (name.toLowerCase() === "upgrade") protocol = value;
    if (!isOurs(name.toLowerCase())) lines.push(`${name}: ${value}`);
  }
  lines.push("Connection: Upgrade", `Upgrade: ${protocol}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}
