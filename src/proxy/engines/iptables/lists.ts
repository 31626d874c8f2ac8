import { hostPort } from "../../../net/ip.ts";
import { maglevSize, maglevTable } from "../../../net/maglev.ts";
import type { EndpointAddress, ServicePortPlan, Target } from "../../plan/plan.ts";
import {
  chooseByClient,
  chooseInTurn,
  chooseRandom,
  stretchesInOrder,
  stretchesOf,
  type Choice,
  type Chosen,
} from "./choose.ts";
import { hashedUpTo } from "./bpf.ts";
import { endpointChain } from "./names.ts";
import type { Chain } from "./rules.ts";

const FULL_MASK = { IPv4: "255.255.255.255", IPv6: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" } as const;

const targetName = ({ ip, port }: EndpointAddress): string => hostPort(ip, port);

/** The most slots of Maglev's table here, since nearly each is a rule: a prime. */
const MOST_SLOTS = 2039;

/** The place in the list of who has each slot of Maglev's table. */
function maglevSlots(targets: readonly Target[]): number[] {
  const places = new Map(targets.map((target, at) => [targetName(target), at]));
  const named = targets.map((target) => ({ name: targetName(target), weight: target.weight }));
  const table = maglevTable(named, Math.min(MOST_SLOTS, maglevSize(targets.length)));
  return table.map((name) => places.get(name)!);
}

/** How a list is divided. Who asks for what cannot be done here has been told; it gets the usual. */
function choose(port: ServicePortPlan, targets: readonly Target[], chain: string): Chosen {
  if (targets.length > 1) {
    if (port.balance === "round-robin") return chooseInTurn(targets);
    const upTo = (bound: number): string => hashedUpTo(bound, port.family);
    if (port.balance === "source-hash") {
      const stretches = stretchesInOrder(targets);
      return chooseByClient(stretches, stretches.at(-1)!.end, chain, upTo);
    }
    if (port.balance === "maglev") {
      const slots = maglevSlots(targets);
      return chooseByClient(stretchesOf(slots), slots.length, chain, upTo);
    }
  }
  return chooseRandom(targets);
}

/** What a list of targets compiles to: the rules of its chain, and further chains. */
export interface ListRules {
  readonly rules: readonly string[];
  readonly chains: readonly Chain[];
}

/** The list whose chain is `chain`: first who is remembered, then a choice. */
export function compileList(port: ServicePortPlan, targets: readonly Target[], chain: string): ListRules {
  const { family } = port;
  const protocol = port.protocol.toLowerCase();
  const dnat = (target: Target): string => {
    const to = port.keepsPort ? target.ip : targetName(target);
    return `-j DNAT --to-destination ${to}`;
  };
  const chosen = choose(port, targets, chain);
  const chains: Chain[] = [];
  const remembered: string[] = [];
  const sticky = new Map<number, string>();
  if (port.affinitySeconds !== undefined) {
    for (const [at, target] of targets.entries()) {
      const name = endpointChain(port.id, targetName(target));
      const memory = `--name ${name} --mask ${FULL_MASK[family]} --rsource`;
      sticky.set(at, name);
      // PRX-100. `--reap` forgets who has been away for longer, whoever it is.
      remembered.push(`-m recent --rcheck --seconds ${port.affinitySeconds} --reap ${memory} -j ${name}`);
      const rules = [`-p ${protocol} -m recent --set ${memory} ${dnat(target)}`];
      chains.push({ family, table: "nat", name, rules });
    }
  }
  const ruleOf = ({ match, to }: Choice): string => {
    const words = (...all: string[]): string => all.filter((word) => word !== "").join(" ");
    if (typeof to === "string") return words(match, `-g ${to}`);
    const name = sticky.get(to);
    return name === undefined ? words(`-p ${protocol}`, match, dnat(targets[to]!)) : words(match, `-g ${name}`);
  };
  for (const [name, choices] of chosen.chains) {
    chains.push({ family, table: "nat", name, rules: choices.map(ruleOf) });
  }
  return { rules: [...remembered, ...chosen.rules.map(ruleOf)], chains };
}
