import { networkInterfaces } from "node:os";
import { familyOf } from "../../net/ip.ts";
import { ANY, type SocketAddress } from "./address.ts";

const isAny = (address: string): boolean => ANY.includes(address);

/** This machine's addresses that others may reach it at. */
const machineAddresses = (): string[] =>
  Object.values(networkInterfaces())
    .flatMap((interfaces) => interfaces ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith("fe80:"))
    .map(({ address }) => address);

/** The addresses that a server which listens at these is reached at from elsewhere: for all of them, this machine's. */
export function ownAddresses(bound: readonly string[]): string[] {
  const machine = bound.some(isAny) ? machineAddresses() : [];
  return [...new Set([...bound.filter((address) => !isAny(address)), ...machine])];
}

/** The same with ports: for all addresses of a family, this machine's of that family. */
export const reachedAt = (listening: readonly SocketAddress[]): SocketAddress[] =>
  listening.flatMap(({ address, port }) =>
    isAny(address)
      ? machineAddresses()
          .filter((each) => familyOf(each) === familyOf(address))
          .map((each) => ({ address: each, port }))
      : [{ address, port }],
  );
