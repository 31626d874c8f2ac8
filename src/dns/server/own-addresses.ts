import { networkInterfaces } from "node:os";

const isAny = (address: string): boolean => address === "0.0.0.0" || address === "::";

/** The addresses that a server which listens at these is reached at from elsewhere: for all of them, this machine's. */
export function ownAddresses(bound: readonly string[]): string[] {
  const machine = bound.some(isAny)
    ? Object.values(networkInterfaces())
        .flatMap((interfaces) => interfaces ?? [])
        .filter(({ internal, address }) => !internal && !address.startsWith("fe80:"))
        .map(({ address }) => address)
    : [];
  return [...new Set([...bound.filter((address) => !isAny(address)), ...machine])];
}
