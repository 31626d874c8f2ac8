import { addressAt, parseCidr, type Cidr } from "../../../net/cidr.ts";
import { toNumber } from "../../../net/ip.ts";
import type { Word } from "./blocks.ts";
import { faultAt, quoted } from "./fault.ts";

/** Where DNS is asked unless a port is named. */
const DNS_PORT = 53;

/** The reverse name of an address as far as `prefix` bits, a multiple of `bits`. */
function reverseOf(ip: string, family: Cidr["family"], prefix: number): string {
  const [width, bits, base, zone] =
    family === "IPv4" ? ([32, 8, 10, "in-addr.arpa"] as const) : ([128, 4, 16, "ip6.arpa"] as const);
  const number = toNumber(ip);
  const labels: string[] = [];
  for (let from = width - prefix; from < width; from += bits) {
    labels.push(((number >> BigInt(from)) & ((1n << BigInt(bits)) - 1n)).toString(base));
  }
  return [...labels, zone].join(".");
}

/** The reverse zones that hold a range, of which there are several where it does not end between two labels (DNS-124). */
function reverseZones(cidr: Cidr): string[] {
  const bits = cidr.family === "IPv4" ? 8 : 4;
  const prefix = Math.ceil(cidr.prefix / bits) * bits;
  const width = cidr.family === "IPv4" ? 32 : 128;
  const step = 1n << BigInt(width - prefix);
  const count = 1 << (prefix - cidr.prefix);
  return Array.from({ length: count }, (_, index) =>
    reverseOf(addressAt(cidr, BigInt(index) * step), cidr.family, prefix),
  );
}

/** In lower case, without the final dot; `""` is the root. */
function zoneName(word: Word, text: string): string {
  const name = text.toLowerCase().replace(/\.$/, "");
  if (name === "") return "";
  const isName = name.length <= 253 && name.split(".").every((label) => /^[!-~]{1,63}$/.test(label));
  if (!isName || /[/\\"(){}]/.test(name)) {
    throw faultAt(
      word,
      `${quoted(word.text)} is not a zone: a name of labels of 1 to 63 letters, such as cluster.local, or a range such as 10.0.0.0/24`,
    );
  }
  return name;
}

/** A name, or a range of addresses for its reverse names, with a port behind it or not. */
function zonesAndPort(word: Word, text: string): { readonly zones: string[]; readonly port: number | undefined } {
  const [, before = text, digits] = /^(.*):(\d+)$/s.exec(text) ?? [];
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && (port < 1 || port > 65535)) {
    throw faultAt(word, `${quoted(word.text)}: ${digits} is not a port; ports are 1 to 65535`);
  }
  if (before.includes("/")) {
    try {
      return { zones: reverseZones(parseCidr(before)), port };
    } catch {
      throw faultAt(word, `${quoted(word.text)} is neither a name nor a range of addresses such as 10.0.0.0/24`);
    }
  }
  return { zones: [zoneName(word, before)], port };
}

/** The zones that a word of a directive means; a port or `dns://` that stands with it is passed over, as in CoreDNS. */
export const zonesOf = (word: Word): string[] => zonesAndPort(word, word.text.replace(/^dns:\/\//, "")).zones;

/** The zones and the port of a server block's key: `.:53`, `dns://acme.local`, `10.0.0.0/24`. */
export function keyOf(word: Word): { readonly zones: readonly string[]; readonly port: number } {
  const [, scheme, rest = word.text] = /^([a-z][a-z0-9]*):\/\/(.*)$/s.exec(word.text) ?? [];
  if (scheme !== undefined && scheme !== "dns") {
    throw faultAt(
      word,
      `${quoted(word.text)}: ${scheme}:// is not served; this server answers over UDP and TCP, which is dns://`,
    );
  }
  const { zones, port } = zonesAndPort(word, rest);
  return { zones, port: port ?? DNS_PORT };
}
