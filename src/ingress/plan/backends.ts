import { createHash } from "node:crypto";
import type { IngressBackend, Service, ServicePort } from "../../api/generated/types.ts";
import { readAddress } from "../../net/address.ts";
import { hostPort } from "../../net/ip.ts";
import { endpointsOf, type TokensOf } from "./endpoints.ts";
import type { BackendPlan, BackendSettings, EndpointPlan } from "./plan.ts";
import type { ClusterView, IngressFault } from "./view.ts";

/** A backend that an Ingress names, found. Its endpoints are looked up apart: they change more often. */
export interface BackendRef {
  readonly id: string;
  /** `namespace/name`. */
  readonly service: string;
  /** As the Ingress says it. */
  readonly port: string;
  readonly settings: BackendSettings;
  /** Requests go to the Service's own address. */
  readonly upstream: boolean;
}

/** What of an Ingress concerns all of its backends. */
export interface BackendContext {
  readonly namespace: string;
  readonly settings: BackendSettings;
  readonly serviceUpstream: boolean;
}

const ANSWER = "its requests are answered 503";
const fault = (field: string, reason: string, message: string): IngressFault => ({ field, reason, message });

const isTcp = ({ protocol = "TCP" }: ServicePort): boolean => protocol === "TCP";
const labelOf = ({ name, port }: ServicePort): string => (name ? `${name} (${port})` : String(port));

/** The port of a Service that is meant (CTL-138): by its name, or by its number, never by its target. */
function portOf(service: Service, port: string): ServicePort | undefined {
  const ports = (service.spec?.ports ?? []).filter(isTcp);
  return ports.find(({ name }) => name === port) ?? ports.find((one) => String(one.port) === port);
}

const isNumber = (port: string): boolean => /^\d+$/.test(port);

/** Names and addresses by which a machine means itself, or its cloud's own pages. */
function isNear(name: string): boolean {
  const plain = name.toLowerCase().replace(/\.$/, "");
  if (plain === "localhost" || plain.endsWith(".localhost")) return true;
  const ip = readAddress(plain)?.ip;
  return ip !== undefined && /^(?:127\.|169\.254\.|0\.|::1?$|fe[89ab])/.test(ip);
}

/** Apart from the usual, in words; keys and certificates by their digest. */
function suffixOf({ protocol, tls, balance }: BackendSettings, upstream: boolean): string {
  const words = [
    ...(protocol === "HTTP" ? [] : [protocol]),
    ...(balance.algorithm === "round-robin" ? [] : [balance.algorithm]),
    ...(upstream ? ["service-upstream"] : []),
  ];
  const rest = JSON.stringify([tls, balance.algorithm === "hash" ? balance.key : ""]);
  const isPlain = tls === undefined && balance.algorithm !== "hash";
  if (!isPlain) words.push(createHash("sha256").update(rest).digest("hex").slice(0, 12));
  return words.map((word) => ` ${word}`).join("");
}

/** Of a Service that is known to be there, with what it says that it needs. */
function refOf(service: string, port: string, { settings }: BackendContext, upstream: boolean): BackendRef {
  return { id: `${service}:${port}${suffixOf(settings, upstream)}`, service, port, settings, upstream };
}

/** Finds the backend that an Ingress names in `field`; a fault says why there is none (CTL-138, CTL-139). */
export function findBackend(
  backend: IngressBackend,
  field: string,
  context: BackendContext,
  view: ClusterView,
): BackendRef | IngressFault {
  const { namespace } = context;
  if (backend.service === undefined) {
    const kind = backend.resource?.kind ?? "nothing";
    const what = backend.resource === undefined ? "names no Service" : `is a ${kind} ${backend.resource.name}`;
    return fault(
      `${field}.resource`,
      "BackendNotSupported",
      `the backend ${what}; only Services can be served: ${ANSWER}`,
    );
  }
  const { name, port } = backend.service;
  const said = port?.name || (port?.number ? String(port.number) : "");
  const key = `${namespace}/${name}`;
  const service = view.service(key);
  if (service === undefined) {
    return fault(
      `${field}.service.name`,
      "BackendNotFound",
      `there is no Service ${key}; ${ANSWER} until there is one`,
    );
  }
  const portField = `${field}.service.port.${port?.name ? "name" : "number"}`;
  const found = portOf(service, said);
  if (service.spec?.type === "ExternalName") {
    const target = service.spec.externalName ?? "";
    if (isNear(target)) {
      const why = `Service ${key} is another name for ${JSON.stringify(target)}, which is this machine itself or its surroundings, and is not asked`;
      return fault(`${field}.service.name`, "BackendRefused", `${why}: ${ANSWER}`);
    }
    if (found === undefined && !isNumber(said)) {
      const why = `Service ${key} is another name for ${target} and has no port ${JSON.stringify(said)}; it should have one, or the port be a number`;
      return fault(portField, "BackendPortNotFound", `${why}: ${ANSWER}`);
    }
    return refOf(key, said, context, false);
  }
  if (found === undefined) {
    const ports = (service.spec?.ports ?? []).filter(isTcp).map(labelOf);
    const has = ports.length === 0 ? "no TCP port" : `only ${ports.join(", ")}`;
    const why = `Service ${key} has no TCP port ${JSON.stringify(said)}, ${has}`;
    return fault(portField, "BackendPortNotFound", `${why}; ${ANSWER} until it has`);
  }
  return refOf(key, said, context, context.serviceUpstream && addressOf(service) !== undefined);
}

/** The first port of a Service, for annotations that name a Service alone. */
export const firstPortOf = ({ spec }: Service): string | undefined => {
  const first = (spec?.ports ?? []).find(isTcp);
  return first === undefined ? undefined : first.name || String(first.port);
};

/** The address of a Service that has one. */
function addressOf({ spec }: Service): string | undefined {
  const ip = spec?.clusterIPs?.[0] ?? spec?.clusterIP;
  return ip === undefined || ip === "" || ip === "None" ? undefined : ip;
}

function endpointsNow(ref: BackendRef, view: ClusterView, tokensOf: TokensOf): readonly EndpointPlan[] {
  const service = view.service(ref.service);
  if (service === undefined) return [];
  const port = portOf(service, ref.port);
  const only = (address: string, number: number): readonly EndpointPlan[] => {
    const key = hostPort(address, number);
    return [{ key, address, port: number, tokens: tokensOf(key), state: "serving", weight: 100 }];
  };
  if (service.spec?.type === "ExternalName") {
    const number = port?.port ?? Number(ref.port);
    return service.spec.externalName ? only(service.spec.externalName.replace(/\.$/, ""), number) : [];
  }
  if (port === undefined) return [];
  const own = ref.upstream ? addressOf(service) : undefined;
  if (own !== undefined) return only(own, port.port);
  return endpointsOf(service, port.name ?? "", view.slices(ref.service), tokensOf);
}

/** A backend as it is now; without endpoints where there are none. */
export function planBackend(ref: BackendRef, view: ClusterView, tokensOf: TokensOf): BackendPlan {
  const slash = ref.service.indexOf("/");
  return {
    id: ref.id,
    namespace: ref.service.slice(0, slash),
    service: ref.service.slice(slash + 1),
    port: ref.port,
    settings: ref.settings,
    endpoints: endpointsNow(ref, view, tokensOf),
  };
}

/** Whether a backend has anybody, ending or not. */
export const hasEndpoints = (ref: BackendRef, view: ClusterView): boolean =>
  endpointsNow(ref, view, () => []).length > 0;
