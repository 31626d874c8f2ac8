import type { Ability, AnyEngine } from "./engine.ts";
import type { Balance, ServicePlan, ServicePortPlan } from "./plan/plan.ts";

type Engine = Pick<AnyEngine, "name" | "abilities">;

/** How an engine chooses when it is not told. */
const usual = ({ name }: Engine): Balance => (name === "ipvs" || name === "userspace" ? "round-robin" : "random");

const why = (ability: Ability): string | undefined => (ability === true ? undefined : ability.not);

const hasWeights = ({ cluster }: ServicePortPlan): boolean =>
  cluster.to === "targets" && cluster.targets.some(({ weight }) => weight !== cluster.targets[0]!.weight);

function ofPort(port: ServicePortPlan, engine: Engine): string[] {
  const { name, abilities } = engine;
  const said: string[] = [];
  const complain = (reason: string | undefined, sentence: (reason: string) => string): void => {
    if (reason !== undefined) said.push(sentence(`cannot be done by ${name}: ${reason}`));
  };
  const { protocol, balance } = port;
  if (protocol === "UDP" || protocol === "SCTP") {
    const ability = protocol === "UDP" ? abilities.udp : abilities.sctp;
    complain(why(ability), (cannot) => `ports of protocol ${protocol}: ${cannot}; nothing answers on them`);
  }
  if (balance !== undefined) {
    complain(
      why(abilities.balance[balance]),
      (cannot) => `fairlead.dev/balance: ${balance} ${cannot}; ${usual(engine)} is used`,
    );
  }
  if (hasWeights(port)) {
    complain(why(abilities.weights), (cannot) => `fairlead.dev/weight ${cannot}; every endpoint has the same share`);
  }
  if (port.keepsPort)
    complain(why(abilities.portRanges), (cannot) => `fairlead.dev/port-range ${cannot}; it is not carried`);
  if (port.affinitySeconds !== undefined) {
    complain(why(abilities.sessionAffinity), (cannot) => `sessionAffinity: ClientIP ${cannot}; it is not kept`);
  }
  if (port.sourceRanges !== undefined) {
    complain(
      why(abilities.dropOutsideSourceRanges),
      (cannot) => `silence for who is outside loadBalancerSourceRanges ${cannot}`,
    );
  }
  return said;
}

/** Pure: what a Service asks for that this engine cannot do, each once, as a sentence for an event on it, with what happens instead. */
export const abilityComplaints = (engine: Engine, plan: ServicePlan): string[] => [
  ...new Set(plan.ports.flatMap((port) => ofPort(port, engine))),
];
