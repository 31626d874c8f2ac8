import { hostPort } from "../../net/ip.ts";
import type { EndpointAddress, ServicePlan, ServicePortPlan } from "../plan/plan.ts";

/** Those on this node. */
const localsOf = ({ internal, external, cluster }: ServicePortPlan): EndpointAddress[] =>
  [internal, external, cluster].flatMap((one) =>
    one.to === "targets" ? one.targets.filter(({ local }) => local) : [],
  );

/** Which Services that want it have which TCP endpoints, kept up by changes. Endpoints are named `ip:port`. */
export class Targets {
  readonly #services = new Map<string, readonly (readonly string[])[]>();
  readonly #holders = new Map<string, Set<string>>();
  readonly #locals = new Map<string, EndpointAddress>();

  /** Endpoints on this node. */
  get locals(): ReadonlyMap<string, EndpointAddress> {
    return this.#locals;
  }

  /** A Service is so now; undefined: it is gone. Answers the endpoints that no Service has any more. */
  set(key: string, plan: ServicePlan | undefined): string[] {
    const before = new Set(this.#services.get(key)?.flat());
    const ports = (plan?.penaltyBox === true ? plan.ports : []).filter(
      (port) => port.protocol === "TCP" && !port.keepsPort,
    );
    for (const { ip, port } of ports.flatMap(localsOf)) this.#locals.set(hostPort(ip, port), { ip, port });
    const lists = ports.map((port) => port.serving.map(({ ip, port: at }) => hostPort(ip, at)));
    if (lists.length === 0) this.#services.delete(key);
    else this.#services.set(key, lists);
    for (const endpoint of lists.flat()) {
      before.delete(endpoint);
      const holders = this.#holders.get(endpoint);
      if (holders === undefined) this.#holders.set(endpoint, new Set([key]));
      else holders.add(key);
    }
    const gone: string[] = [];
    for (const endpoint of before) {
      const holders = this.#holders.get(endpoint);
      holders?.delete(key);
      if (holders?.size !== 0) continue;
      this.#holders.delete(endpoint);
      this.#locals.delete(endpoint);
      gone.push(endpoint);
    }
    return gone;
  }

  has(endpoint: string): boolean {
    return this.#holders.has(endpoint);
  }

  /** Services that have the endpoint. */
  servicesOf(endpoint: string): string[] {
    return [...(this.#holders.get(endpoint) ?? [])];
  }

  /** Whether no Service port has another endpoint that could stand in, given those that are left out already. */
  isLastStanding(endpoint: string, isOut: (endpoint: string) => boolean): boolean {
    return this.servicesOf(endpoint).every((key) =>
      this.#services
        .get(key)!
        .filter((list) => list.includes(endpoint))
        .every((list) => list.every((other) => other === endpoint || isOut(other))),
    );
  }
}
