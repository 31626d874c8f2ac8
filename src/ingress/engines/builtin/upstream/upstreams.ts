import { hostPort } from "../../../../net/ip.ts";
import type { Clock } from "../../../../observe/clock.ts";
import type { BackendPlan, EndpointPlan, IngressPlan, UpstreamTls } from "../../../plan/plan.ts";
import { createHttp1Upstream } from "./http1.ts";
import { createHttp2Upstream } from "./http2.ts";
import type { Upstream } from "./upstream.ts";

/** Everything that requests are sent to; connections outlive plans as long as their endpoint is in one. */
export interface Upstreams {
  /** @param connect milliseconds until a connection must be there */
  of(backend: BackendPlan, endpoint: EndpointPlan, connect: number): Upstream;
  /** Closes those whose endpoint is in no backend any more, when what is under way has ended. */
  follow(plan: IngressPlan): void;
  destroy(): void;
}

const noTls: UpstreamTls = { ca: undefined, certificate: undefined, key: undefined, serverName: undefined };

/** To one endpoint; more are left of certificates and timeouts that are not in force any more. */
const MOST_WAYS = 8;

const tlsNames = new WeakMap<UpstreamTls, string>();

function nameOf(tls: UpstreamTls): string {
  let name = tlsNames.get(tls);
  if (name === undefined) {
    name = JSON.stringify([tls.ca, tls.certificate, tls.key, tls.serverName]);
    tlsNames.set(tls, name);
  }
  return name;
}

/** One way to an endpoint, with what it was asked for by, so that it is found without making a name. */
interface Way {
  readonly protocol: string;
  readonly tls: string;
  readonly connect: number;
  readonly upstream: Upstream;
}

export function createUpstreams(clock: Clock): Upstreams {
  const ways = new Map<string, Way[]>();
  /** The same without a name that has to be made; endpoints are the same objects from plan to plan. */
  const byEndpoint = new WeakMap<EndpointPlan, { readonly name: string; readonly ways: Way[] }>();
  let backends: ReadonlyMap<string, BackendPlan> = new Map();
  /** How many backends have it. */
  const held = new Map<string, number>();

  const waysOf = (endpoint: EndpointPlan): Way[] => {
    const known = byEndpoint.get(endpoint);
    if (known !== undefined && ways.get(known.name) === known.ways) return known.ways;
    const name = hostPort(endpoint.address, endpoint.port);
    let found = ways.get(name);
    if (found === undefined) {
      found = [];
      ways.set(name, found);
    }
    byEndpoint.set(endpoint, { name, ways: found });
    return found;
  };
  const release = (name: string): void => {
    for (const { upstream } of ways.get(name) ?? []) upstream.close();
    ways.delete(name);
  };
  const count = (backend: BackendPlan, by: 1 | -1): void => {
    for (const { address, port } of backend.endpoints) {
      const name = hostPort(address, port);
      const now = (held.get(name) ?? 0) + by;
      if (now === 0) held.delete(name);
      else held.set(name, now);
    }
  };

  return {
    of({ settings }, endpoint, connect) {
      const isSecure = settings.protocol === "HTTPS" || settings.protocol === "GRPCS";
      const tls = isSecure ? (settings.tls ?? noTls) : undefined;
      const tlsName = tls === undefined ? "" : nameOf(tls);
      const known = waysOf(endpoint);
      for (const way of known) {
        if (way.protocol === settings.protocol && way.connect === connect && way.tls === tlsName) return way.upstream;
      }
      const place = { address: endpoint.address, port: endpoint.port, tls };
      const isSecond = settings.protocol === "GRPC" || settings.protocol === "GRPCS";
      const upstream = (isSecond ? createHttp2Upstream : createHttp1Upstream)(place, connect, clock);
      if (known.length === MOST_WAYS) known.shift()!.upstream.close();
      known.push({ protocol: settings.protocol, tls: tlsName, connect, upstream });
      return upstream;
    },
    follow(plan) {
      let hasChanged = false;
      for (const [id, backend] of plan.backends) {
        const before = backends.get(id);
        if (before === backend) continue;
        count(backend, 1);
        if (before !== undefined) count(before, -1);
        hasChanged = true;
      }
      for (const [id, before] of backends) {
        if (plan.backends.has(id)) continue;
        count(before, -1);
        hasChanged = true;
      }
      backends = plan.backends;
      if (hasChanged) for (const name of ways.keys()) if (!held.has(name)) release(name);
    },
    destroy() {
      for (const some of ways.values()) for (const { upstream } of some) upstream.destroy();
      ways.clear();
    },
  };
}
