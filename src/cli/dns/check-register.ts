import type { DnsConfiguration } from "../../dns/configuration/configuration.ts";
import { mayBeEndpoint } from "../../dns/registration.ts";
import { addressesOf, ANY, type SocketAddress } from "../../dns/server/address.ts";
import { familyOf } from "../../net/ip.ts";
import { UsageError } from "../failure.ts";

const REMEDY = "name one that pods reach with --listen ADDR:PORT (bind in a Corefile)";

/**
 * Throws UsageError where the cluster cannot be told at which address DNS is: none that pods may reach, or several that were not chosen, such
 * as those of bridges, which lead from another node to that node's own. `reached` are the addresses of this machine behind those it listens at.
 */
export function checkRegister(
  { servers }: DnsConfiguration,
  reached: (listening: readonly SocketAddress[]) => readonly SocketAddress[],
): void {
  const listening = servers.flatMap(addressesOf);
  const endpoints = reached(listening).filter(mayBeEndpoint);
  if (endpoints.length === 0) {
    const at = [...new Set(listening.map(({ address }) => address))].join(", ");
    throw new UsageError(`--register: no pod reaches the addresses that DNS listens at, ${at}; ${REMEDY}`);
  }
  for (const any of listening.filter(({ address }) => ANY.includes(address))) {
    const behind = reached([any]).filter(mayBeEndpoint);
    if (behind.length > 1) {
      const at = behind.map(({ address }) => address).join(", ");
      throw new UsageError(
        `--register: DNS listens at every ${familyOf(any.address)} address of this machine, which are ${at}; ${REMEDY}`,
      );
    }
  }
}
