import { canonicalIP, familyOf } from "../../../../net/ip.ts";
import { bad, MORE, type ProxyHeader } from "./outcome.ts";

/** With its line end (§2.1). */
const LONGEST = 107;

const portOf = (text: string): number | undefined => {
  const port = /^(?:0|[1-9]\d{0,4})$/.test(text) ? Number(text) : 65_536;
  return port > 65_535 ? undefined : port;
};

/** `PROXY TCP4 192.0.2.1 192.0.2.2 56324 443` and a line end. */
export function readVersion1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, LONGEST).indexOf("\r\n");
  if (end < 0) return bytes.length >= LONGEST ? bad(`its line does not end within ${LONGEST} bytes`) : MORE;
  const length = end + 2;
  const words = bytes.toString("latin1", 0, end).split(" ");
  // What follows UNKNOWN is to be passed over (§2.1).
  if (words[1] === "UNKNOWN") return { state: "done", length, client: "local" };
  const [, transport, address = "", to = "", fromPort = "", toPort = ""] = words;
  const family = transport === "TCP4" ? "IPv4" : transport === "TCP6" ? "IPv6" : undefined;
  if (family === undefined) return bad("its transport is neither TCP4 nor TCP6 nor UNKNOWN");
  const from = portOf(fromPort);
  const at = portOf(toPort);
  if (words.length !== 6 || from === undefined || at === undefined)
    return bad("it does not say two addresses and two ports");
  if (familyOf(address) !== family || familyOf(to) !== family) return bad(`its addresses are not of ${family}`);
  return {
    state: "done",
    length,
    client: { address: canonicalIP(address), port: from, toPort: at, tls: false, serverName: undefined },
  };
}
