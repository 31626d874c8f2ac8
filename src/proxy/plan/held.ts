import { hostPort, type IPFamily } from "../../net/ip.ts";
import type { PortRange } from "./annotations/port-range.ts";
import { addressPlace, nodePlace, type Claims } from "./claims.ts";
import type { Complaints } from "./complaints.ts";
import type { ServiceAddress } from "./frontends.ts";
import type { Frontend, Protocol } from "./plan.ts";
import type { ReadServicePort } from "./ports.ts";

/** Whose ways in are meant, and who holds what. */
export interface Claimant {
  readonly key: string;
  readonly addresses: readonly ServiceAddress[];
  readonly claims: Pick<Claims, "holderOf" | "heldOf">;
  /** Told what others hold. */
  readonly told: Complaints;
}

/** The addresses of a family at which the Service itself is called on a port. */
export function frontendsOf(
  { addresses, key, claims, told }: Claimant,
  family: IPFamily,
  port: ReadServicePort,
): Frontend[] {
  const { port: number, protocol } = port;
  return addresses.flatMap(({ ip, kind, family: its }): Frontend[] => {
    if (its !== family) return []; // PRX-042
    const holder = claims.holderOf(addressPlace(ip, protocol), number);
    if (holder === key) return [{ ip, port: number, kind }];
    told.add(`${hostPort(ip, number)}/${protocol} is answered by Service ${holder}, which goes first; it is left out`);
    return [];
  });
}

/** The same of ranges of ports, without those that others hold. */
export function rangeFrontendsOf(
  { addresses, key, claims, told }: Claimant,
  family: IPFamily,
  protocol: Protocol,
  ranges: readonly PortRange[],
): Frontend[] {
  const own = addresses.filter((address) => address.family === family);
  return own.flatMap(({ ip, kind }) =>
    ranges.flatMap((range) => {
      const { held, others } = claims.heldOf(addressPlace(ip, protocol), range, key);
      if (others.length > 0) {
        const ports = `${range.port}-${range.lastPort}`;
        told.add(`${ip} ports ${ports}/${protocol} are left out where ${others.join(", ")} answer first`);
      }
      return held.map((part): Frontend => ({ ip, ...part, kind }));
    }),
  );
}

export function nodePortOf(
  { key, claims, told }: Claimant,
  family: IPFamily,
  port: ReadServicePort,
): number | undefined {
  if (port.nodePort === undefined) return undefined;
  const holder = claims.holderOf(nodePlace(family, port.protocol), port.nodePort);
  if (holder === key) return port.nodePort;
  told.add(
    `node port ${port.nodePort}/${port.protocol} is that of Service ${holder}, which goes first; it is left out`,
  );
  return undefined;
}
