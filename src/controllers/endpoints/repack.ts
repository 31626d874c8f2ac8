import type { CoreEndpointPort, EndpointAddress, EndpointSubset } from "../../api/generated/types.ts";

/** An address that is offered at some ports; made by `offer`. */
export interface Offer {
  readonly address: EndpointAddress;
  readonly ports: readonly CoreEndpointPort[];
  readonly isReady: boolean;
  /** By which addresses are told apart and sorted. */
  readonly key: string;
  /** By which ports are told apart, in their order; one word for none. */
  readonly words: readonly string[];
}

const portKey = ({ name, port, protocol, appProtocol }: CoreEndpointPort): string =>
  JSON.stringify([name ?? "", port, protocol ?? "TCP", appProtocol ?? null]);
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
/** What is offered at no port is grouped too. */
const PORTLESS = [""];

/** Without ports for headless Services that have none. */
export const offer = (address: EndpointAddress, ports: readonly CoreEndpointPort[], isReady: boolean): Offer => ({
  address,
  ports,
  isReady,
  key: `${address.ip} ${address.targetRef?.uid ?? ""}`,
  words: ports.length === 0 ? PORTLESS : ports.map(portKey),
});

/** One address, and at each of its ports whether it is ready there. */
interface Gathered {
  readonly key: string;
  readonly address: EndpointAddress;
  readonly ready: Map<string, boolean>;
}

/** By the first member in which they differ; of two that begin alike, the shorter comes first. */
function byMembers(a: readonly Gathered[], b: readonly Gathered[]): number {
  for (let index = 0; index < a.length && index < b.length; index += 1) {
    if (a[index] !== b[index]) return byText(a[index]!.key, b[index]!.key);
  }
  return a.length - b.length;
}

/**
 * CTL-058: ports offered by the same addresses share a subset; addresses, ports and subsets are sorted. An address that is
 * both ready and not ready at a port is not ready.
 */
export function repack(offers: readonly Offer[]): EndpointSubset[] {
  const ports = new Map<string, CoreEndpointPort>();
  const gathered = new Map<string, Gathered>();
  for (const { address, key, words, ports: offered, isReady } of offers) {
    let held = gathered.get(key);
    if (held === undefined) gathered.set(key, (held = { key, address, ready: new Map() }));
    for (const [index, word] of words.entries()) {
      if (!ports.has(word) && offered[index] !== undefined) ports.set(word, offered[index]);
      if (held.ready.get(word) !== false) held.ready.set(word, isReady);
    }
  }
  const sorted = [...gathered.values()].sort((a, b) => byText(a.key, b.key));
  // Ports belong together when the same addresses offer them, each as ready here as there: then a word of these is the same.
  const members = new Map<string, Gathered[]>();
  for (const one of sorted) {
    for (const word of one.ready.keys()) {
      const held = members.get(word);
      if (held === undefined) members.set(word, [one]);
      else held.push(one);
    }
  }
  const groups: { words: string[]; members: Gathered[] }[] = [];
  for (const word of [...members.keys()].sort(byText)) {
    const here = members.get(word)!;
    const same = groups.find(
      (group) =>
        group.members.length === here.length &&
        group.members.every(
          (one, index) => one === here[index] && one.ready.get(group.words[0]!) === one.ready.get(word),
        ),
    );
    if (same === undefined) groups.push({ words: [word], members: here });
    else same.words.push(word);
  }
  return groups
    .sort((a, b) => byMembers(a.members, b.members) || byText(a.words[0]!, b.words[0]!))
    .map(({ words, members: here }) => {
      const at = (isReady: boolean): EndpointAddress[] =>
        here.filter(({ ready }) => ready.get(words[0]!) === isReady).map(({ address }) => address);
      const [ready, notReady] = [at(true), at(false)];
      const found = words.flatMap((word) => ports.get(word) ?? []);
      return {
        ...(ready.length === 0 ? {} : { addresses: ready }),
        ...(notReady.length === 0 ? {} : { notReadyAddresses: notReady }),
        ...(found.length === 0 ? {} : { ports: found }),
      };
    });
}

/** CTL-085: the same for subsets that somebody wrote. */
export const repackSubsets = (subsets: readonly EndpointSubset[]): EndpointSubset[] =>
  repack(
    subsets.flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }) => [
      ...addresses.map((address) => offer(address, ports, true)),
      ...notReadyAddresses.map((address) => offer(address, ports, false)),
    ]),
  );
