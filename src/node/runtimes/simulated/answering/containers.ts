import type { Socket } from "node:net";
import { isIP } from "node:net";
import { canonicalIP } from "../../../../net/ip.ts";
import type { AnsweredPort, Answering } from "../protocol.ts";

/** A container that answers, with who is connected to it. */
export interface AnsweringContainer extends Answering {
  readonly connections: Set<Socket>;
  /** Requests that have begun and whose answers have not ended. */
  underWay: number;
  /** When somebody last came, in milliseconds of the process's own clock. */
  lastCame: number;
  isDraining: boolean;
}

/** Which container answers at an address and port. */
export interface Containers {
  readonly all: ReadonlyMap<number, AnsweringContainer>;
  /** Throws when another has one of its ports. */
  add(answering: Answering): AnsweringContainer;
  remove(id: number): void;
  at(address: string, port: number): AnsweringContainer | undefined;
}

/** The address of a socket of both families, as pods have it. */
export const plainAddress = (address: string | undefined): string => {
  const plain = (address ?? "").replace(/^::ffff:/, "");
  return isIP(plain) === 6 ? canonicalIP(plain) : plain;
};

export function answeringContainers(): Containers {
  const all = new Map<number, AnsweringContainer>();
  /** TCP alone: a UDP socket is bound to its address and knows whom it is of. */
  const byPort = new Map<string, AnsweringContainer>();
  const keysOf = ({ addresses, ports }: Answering): string[] =>
    addresses.flatMap((address) => ports.filter(isTCP).map(({ port }) => `${address} ${port}`));
  return {
    all,
    add(answering) {
      const keys = keysOf(answering);
      const other = keys.map((key) => byPort.get(key)).find((found) => found !== undefined);
      if (other !== undefined) {
        throw new Error(
          `answering for ${answering.namespace}/${answering.pod}: ${other.namespace}/${other.pod} answers at ${other.addresses[0]} already`,
        );
      }
      const container = { ...answering, connections: new Set<Socket>(), underWay: 0, lastCame: 0, isDraining: false };
      for (const key of keys) byPort.set(key, container);
      all.set(answering.id, container);
      return container;
    },
    remove(id) {
      const container = all.get(id);
      if (container === undefined) return;
      all.delete(id);
      for (const key of keysOf(container)) byPort.delete(key);
    },
    at: (address, port) => byPort.get(`${address} ${port}`),
  };
}

export const isTCP = ({ protocol }: AnsweredPort): boolean => protocol === "TCP";
