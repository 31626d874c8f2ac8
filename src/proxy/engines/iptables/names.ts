import { createHash } from "node:crypto";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Sixteen characters that stand for a text: 80 bits of its SHA-256, in base 32. */
export function digest(text: string): string {
  const bytes = createHash("sha256").update(text).digest();
  let name = "";
  for (let bit = 0; bit < 80; bit += 5) {
    const pair = (bytes[bit >> 3]! << 8) | bytes[(bit >> 3) + 1]!;
    name += ALPHABET[(pair >> (11 - (bit & 7))) & 31];
  }
  return name;
}

/**
 * The chains of one Service port. The longest, with the digits of a part behind, has 28 characters, as many as the kernel takes.
 *
 * A chain leads only to chains whose name comes after its own, so that a text can be written from the last name to the
 * first and name nothing before it is there: see `restoreText`.
 */
export interface PortChains {
  /** Its Cluster list. */
  readonly cluster: string;
  /** Its Local list. */
  readonly local: string;
  /** What is decided for traffic from outside before a list is chosen. */
  readonly external: string;
  /** Who may come to a load-balancer address. */
  readonly firewall: string;
}

export function portChains(id: string): PortChains {
  const name = digest(id);
  return {
    cluster: `FL-SVC-${name}`,
    local: `FL-SVL-${name}`,
    external: `FL-OUTER-${name}`,
    firewall: `FL-FW-${name}`,
  };
}

/** With affinity each endpoint of a Service port has a chain, whatever list it is in, and the memory of its clients is named as the chain is. */
export const endpointChain = (id: string, target: string): string => `FL-TO-${digest(`${id} ${target}`)}`;
