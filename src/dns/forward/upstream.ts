import { familyOf } from "../../net/ip.ts";
import type { SocketAddress } from "../server/address.ts";

/** Reads an upstream resolver: `IP`, `IPv4:PORT` or `[IPv6]:PORT`; the port is 53 unless told. Throws RangeError for anything else. */
export function parseUpstream(text: string): SocketAddress {
  if (familyOf(text) !== undefined) return { address: text, port: 53 };
  const match = /^\[?([^\]]+?)\]?:(\d{1,5})$/.exec(text);
  const address = match?.[1] ?? "";
  const port = Number(match?.[2]);
  const family = familyOf(address);
  if (family === undefined || (family === "IPv6") !== text.startsWith("[") || !(port > 0 && port < 65_536)) {
    throw new RangeError(
      `reading an upstream resolver: ${JSON.stringify(text)} is not IP, IPv4:PORT or [IPv6]:PORT, such as 192.0.2.53:53`,
    );
  }
  return { address, port };
}
