import { familyOf } from "../../net/ip.ts";

/** What a connection to the dialer asks for: a port of the node, or of an address that the site answers at. */
export interface Destination {
  /** Undefined is the node's own address. */
  readonly ip?: string;
  readonly port: number;
}

/** The longest request: an IPv6 address, a space, a port and a line feed. */
export const LONGEST_REQUEST = 52;

/** `30080` or `10.97.0.1 80`. */
export const requestFor = ({ ip, port }: Destination): string => (ip === undefined ? `${port}` : `${ip} ${port}`);

/** Undefined for anything that {@link requestFor} does not write. */
export function readRequest(line: string): Destination | undefined {
  const [, ip, port] = /^(?:(\S+) )?(\d{1,5})$/.exec(line) ?? [];
  const number = Number(port);
  if (port === undefined || number < 1 || number > 65_535) return undefined;
  if (ip === undefined) return { port: number };
  return familyOf(ip) === undefined ? undefined : { ip, port: number };
}
