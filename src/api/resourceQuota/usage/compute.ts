import type { Container, Pod } from "../../generated/types.ts";
import { addQuantities, parseQuantity, ZERO, type Quantity } from "../../meta/quantity.ts";

type Amounts = Map<string, Quantity>;
type Side = "requests" | "limits";

const read = (amounts: Record<string, string> | undefined): Amounts =>
  new Map(Object.entries(amounts ?? {}).map(([name, text]) => [name, parseQuantity(text)]));

function merged(one: Amounts, other: Amounts, how: (a: Quantity, b: Quantity) => Quantity): Amounts {
  const all = new Map(one);
  for (const [name, amount] of other) all.set(name, how(all.get(name) ?? ZERO, amount));
  return all;
}

const sum = (one: Amounts, other: Amounts): Amounts => merged(one, other, addQuantities);
const largest = (one: Amounts, other: Amounts): Amounts => merged(one, other, (a, b) => (b.nano > a.nano ? b : a));

/** What of a pod's resources may be said for the pod as a whole, instead of for its containers. */
const isOfPods = (name: string): boolean => name === "cpu" || name === "memory" || name.startsWith("hugepages-");

/**
 * What a pod needs at its most: all that runs at once, or an init container beside those that stay (sidecars), whichever is more,
 * and the overhead of its sandbox.
 */
export function podAmounts(pod: Pod, side: Side): Amounts {
  const { containers = [], initContainers = [], overhead, resources } = pod.spec ?? {};
  const of = (container: Container): Amounts => read(container.resources?.[side]);
  let running = containers.map(of).reduce(sum, new Map());
  let sidecars: Amounts = new Map();
  let peak: Amounts = new Map();
  for (const container of initContainers) {
    const own = of(container);
    if (container.restartPolicy === "Always") {
      running = sum(running, own);
      sidecars = sum(sidecars, own);
      peak = largest(peak, sidecars);
    } else peak = largest(peak, sum(sidecars, own));
  }
  const all = largest(running, peak);
  for (const [name, amount] of read(resources?.[side])) if (isOfPods(name)) all.set(name, amount);
  const over = read(overhead);
  // Without a limit there is nothing that the overhead could be added to.
  if (side === "limits") for (const name of over.keys()) if ((all.get(name)?.nano ?? 0n) === 0n) over.delete(name);
  return sum(all, over);
}

const PLAIN = ["cpu", "memory", "ephemeral-storage"];

/** The names in a quota under which these requests and limits are counted. */
function quotaNames(requests: Amounts, limits: Amounts): Amounts {
  const named: Amounts = new Map();
  for (const [name, amount] of requests) {
    const isPlain = PLAIN.includes(name) || name.startsWith("hugepages-");
    if (isPlain) named.set(name, amount);
    if (isPlain || (name.includes("/") && !name.includes("kubernetes.io/"))) named.set(`requests.${name}`, amount);
  }
  for (const [name, amount] of limits) if (PLAIN.includes(name)) named.set(`limits.${name}`, amount);
  return named;
}

/** What a pod takes of a namespace's share of the machines. */
export const computeOf = (pod: Pod): Amounts => quotaNames(podAmounts(pod, "requests"), podAmounts(pod, "limits"));

/** Whether a pod may count under this name, other than as a thing. */
export const isComputeName = (name: string): boolean =>
  /^(requests\.|limits\.)?(cpu|memory|ephemeral-storage)$/.test(name) ||
  /^(requests\.)?hugepages-/.test(name) ||
  /^requests\.(?!.*kubernetes\.io\/).+\/./.test(name);

/** Who limits these makes every container say what it wants of them. */
const MUST_SAY = new Set(["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"]);

/** `must specify limits.cpu for: a,b; memory for: a`; undefined when all containers say enough for a quota of these names. */
export function missingCompute({ spec }: Pod, names: readonly string[]): string | undefined {
  const wanted = names.filter((name) => MUST_SAY.has(name)).sort();
  if (wanted.length === 0 || (spec?.resources && Object.keys(spec.resources).length > 0)) return undefined;
  const missing = wanted.flatMap((name) => {
    const silent = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].filter(
      ({ resources }) => !quotaNames(read(resources?.requests), read(resources?.limits)).has(name),
    );
    const containers = [...new Set(silent.map((container) => container.name))].sort();
    return containers.length === 0 ? [] : [`${name} for: ${containers.join(",")}`];
  });
  return missing.length === 0 ? undefined : `must specify ${missing.join("; ")}`;
}
