import { familyOf } from "../../net/ip.ts";

/** What a connection to the dialer asks for: a port of the node, or of an address that the site answers at. */
export interface Destination {
  readonly protocol: "TCP" | "UDP";
  /** Undefined is the node's own address. */
  readonly ip?: string;
  readonly port: number;
}

/** The longest request: `UDP`, an IPv6 address, a port, two spaces and a line feed. */
export const LONGEST_REQUEST = 56;

/** `TCP 30080` or `UDP 10.97.0.1 80`. */
export const requestFor = ({ protocol, ip, port }: Destination): string =>
  ip === undefined ? `${protocol} ${port}` : `${protocol} ${ip} ${port}`;

/** Undefined for anything that {@link requestFor} does not write. */
export function readRequest(line: string): Destination | undefined {
  const [, word, ip, port] = /^(TCP|UDP) (?:(\S+) )?(\d{1,5})$/.exec(line) ?? [];
  const number = Number(port);
  if (port === undefined || number < 1 || number > 65_535) return undefined;
  const protocol = word === "UDP" ? "UDP" : "TCP";
  if (ip === undefined) return { protocol, port: number };
  return familyOf(ip) === undefined ? undefined : { protocol, ip, port: number };
}
