import { fromNumber } from "../../../../net/ip.ts";
import { bad, MORE, type ProxiedClient, type ProxyHeader } from "./outcome.ts";

export const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");

/** Signature, version and command, family, length (§2.2). */
const FIXED = 16;
/** Addresses and what else is said; a UNIX address alone is 216. */
const LONGEST = 4096;
const LOCAL = 0x20;
const PROXY = 0x21;
/** By family and transport: bytes of one address; stream and datagram. */
const INET = 0x11;
const INET6 = 0x21;
const UNIX = 0x31;
const UNSPECIFIED = 0x00;
const TYPE_AUTHORITY = 0x02;
const TYPE_SSL = 0x20;
const CLIENT_SSL = 0x01;
/** As names in certificates are; anything else is no name. */
const NAME = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

export function readVersion2(bytes: Buffer): ProxyHeader {
  if (bytes.length < FIXED) return MORE;
  const command = bytes[12]!;
  const family = bytes[13]!;
  const size = bytes.readUInt16BE(14);
  if (command !== LOCAL && command !== PROXY) return bad(`its version and command are 0x${command.toString(16)}`);
  if (size > LONGEST) return bad(`it says that it has ${size} bytes; ${LONGEST} are read`);
  const length = FIXED + size;
  if (bytes.length < length) return MORE;
  if (command === LOCAL) return { state: "done", length, client: "local" };
  const said = bytes.subarray(FIXED, length);
  switch (family) {
    case INET:
      return said.length < 12
        ? bad("its addresses are cut short")
        : done(length, fromNumber(BigInt(said.readUInt32BE(0)), "IPv4"), said, 8, 12);
    case INET6:
      return said.length < 36
        ? bad("its addresses are cut short")
        : done(length, fromNumber((said.readBigUInt64BE(0) << 64n) | said.readBigUInt64BE(8), "IPv6"), said, 32, 36);
    // A path is nobody's address: what we see of the connection is as good.
    case UNIX:
    case UNSPECIFIED:
      return { state: "done", length, client: "local" };
    default:
      return bad(`its family and transport are 0x${family.toString(16)}`);
  }
}

function done(length: number, address: string, said: Buffer, ports: number, rest: number): ProxyHeader {
  const more = extrasOf(said.subarray(rest));
  if (more === undefined) return bad("what follows its addresses is cut short");
  return {
    state: "done",
    length,
    client: { address, port: said.readUInt16BE(ports), toPort: said.readUInt16BE(ports + 2), ...more },
  };
}

/** Type, length and value, one after another; those that say nothing to us are passed over. Undefined: one is cut short. */
function extrasOf(bytes: Buffer): Pick<ProxiedClient, "tls" | "serverName"> | undefined {
  let tls = false;
  let serverName: string | undefined;
  for (let at = 0; at < bytes.length;) {
    if (bytes.length - at < 3) return undefined;
    const type = bytes[at]!;
    const end = at + 3 + bytes.readUInt16BE(at + 1);
    if (end > bytes.length) return undefined;
    const value = bytes.subarray(at + 3, end);
    if (type === TYPE_SSL) tls = value.length > 0 && (value[0]! & CLIENT_SSL) !== 0;
    else if (type === TYPE_AUTHORITY) {
      const name = value.toString("latin1").toLowerCase();
      if (name.length < 256 && NAME.test(name)) serverName = name;
    }
    at = end;
  }
  return { tls, serverName };
}
