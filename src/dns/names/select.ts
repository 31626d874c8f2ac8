import { addressesWith, type Target } from "./endpoints.ts";
import type { NamedPort } from "./ready-slice.ts";
import type { ServiceNames } from "./service.ts";

/** A Service that has addresses. */
export type Addressed = Exclude<ServiceNames, { kind: "external" }>;

const withoutUnderscore = (label: string): string => (label.startsWith("_") ? label.slice(1) : label);

const withPorts = (targets: Iterable<Target>, wanted: (port: NamedPort) => boolean): Target[] =>
  [...targets].flatMap((target) => {
    const ports = target.ports.filter(wanted);
    if (ports.length === 0) return [];
    if (target.having === undefined) return [{ ...target, ports }];
    const addresses = [...new Set(ports.flatMap((port) => addressesWith(target, port)))];
    return [{ ...target, ports, addresses }];
  });

/** Who the Service's own name stands for. */
const ownTargets = (names: Addressed): Iterable<Target> =>
  names.kind === "cluster" ? [names.own] : names.endpoints.byLabel.values();

/**
 * The targets a name below (or of) a Service stands for; none when there is no such name.
 * `path` is what stands before the Service's label: nothing, `[endpoint]`, or `[port, protocol]`, whose underscores
 * are optional (DNS-039).
 */
export function selectTargets(names: Addressed, path: readonly string[]): Target[] {
  const [first, second] = path;
  if (first === undefined) return [...ownTargets(names)];
  if (second === undefined) {
    const endpoint = names.endpoints.byLabel.get(first);
    return endpoint === undefined ? [] : [endpoint];
  }
  if (path.length > 2) return [];
  const port = withoutUnderscore(first);
  const protocol = withoutUnderscore(second);
  return port === "" ? [] : withPorts(ownTargets(names), (each) => each.name === port && each.protocol === protocol);
}

/**
 * True for `_tcp.SERVICE` when a port name stands below it: such a name exists without records (RFC 8020 §2), and
 * calling it missing would hide the names below from resolvers that ask label by label (RFC 9156).
 */
export function isEmptyNonTerminal(names: Addressed, path: readonly string[]): boolean {
  const [protocol] = path;
  if (path.length !== 1 || protocol === undefined || !protocol.startsWith("_")) return false;
  return withPorts(ownTargets(names), (port) => port.name !== "" && `_${port.protocol}` === protocol).length > 0;
}
