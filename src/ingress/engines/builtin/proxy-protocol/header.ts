import { MORE, bad, type ProxyHeader } from "./outcome.ts";
import { readVersion1 } from "./version1.ts";
import { readVersion2, SIGNATURE } from "./version2.ts";

const VERSION1 = Buffer.from("PROXY ");

const begins = (bytes: Buffer, start: Buffer): boolean => {
  const length = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, length, 0, length) === 0;
};

/** Reads the header at the beginning of a connection (haproxy.org, `proxy-protocol.txt`) from what has come of it so far. Pure. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (bytes.length === 0) return MORE;
  if (begins(bytes, SIGNATURE)) return bytes.length < SIGNATURE.length ? MORE : readVersion2(bytes);
  if (begins(bytes, VERSION1)) return bytes.length < VERSION1.length ? MORE : readVersion1(bytes);
  return bad("it does not begin with a PROXY protocol header");
}
