import type { Desired, ProxyEngine } from "../../src/proxy/engine.ts";
import type { NodePlan, ServicePlan } from "../../src/proxy/plan/plan.ts";

/** An engine that only keeps what it is given. */
export class Kept implements ProxyEngine<ServicePlan, NodePlan, number> {
  readonly name = "nftables";
  readonly abilities = {} as ProxyEngine<ServicePlan, NodePlan, number>["abilities"];
  plans: ReadonlyMap<string, ServicePlan> = new Map();
  supported = async () => ({ supported: true }) as const;
  compileNode = (node: NodePlan) => node;
  compile = (plan: ServicePlan) => plan;
  read = async () => 0;
  async apply({ parts }: Desired<ServicePlan, NodePlan>): Promise<number> {
    this.plans = new Map(parts);
    return 0;
  }
  intact = async () => true;
  cleanup = async () => {};
  close = async () => {};
}
