import type { Container, Pod, ResourceFieldSelector } from "../../api/generated/types.ts";
import { parseQuantity, type Quantity } from "../../api/meta/quantity.ts";
import { ConfigError } from "./lookups.ts";

const RESOURCE = /^(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.+)$/;
const NANO = 1_000_000_000n;
/** Processors are told apart to the thousandth, everything else to the whole unit. */
const unitOf = (resource: string): bigint => (resource === "cpu" ? NANO / 1000n : NANO);

const divideUp = (amount: bigint, by: bigint): bigint => (amount + by - 1n) / by;

/**
 * The value of a `resourceFieldRef`: a resource of a container in multiples of the divisor, rounded up. A limit that is not
 * set is what the node has to give, a request that is not set is none. Throws ConfigError.
 */
export function resourceValue(
  pod: Pod,
  container: Pick<Container, "name">,
  allocatable: Readonly<Record<string, string>>,
  reference: ResourceFieldSelector,
): string {
  const [, side, resource] = RESOURCE.exec(reference.resource) ?? [];
  if (side === undefined || resource === undefined) {
    throw new ConfigError(
      `resourceFieldRef: resource ${JSON.stringify(reference.resource)} is not supported; limits and requests of cpu, memory, ephemeral-storage and hugepages are`,
    );
  }
  const name = reference.containerName || container.name;
  const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const found = all.find((each) => each.name === name);
  if (found === undefined) throw new ConfigError(`resourceFieldRef: container ${JSON.stringify(name)} not found`);
  const said = found.resources?.[side as "limits" | "requests"]?.[resource];
  const text = said ?? (side === "limits" ? allocatable[resource] : undefined) ?? "0";
  const divisor = parseQuantity(reference.divisor || "1");
  const inUnits = ({ nano }: Quantity): bigint => divideUp(nano, unitOf(resource));
  const by = inUnits(divisor.nano === 0n ? parseQuantity("1") : divisor);
  return String(divideUp(inUnits(parseQuantity(text)), by));
}
