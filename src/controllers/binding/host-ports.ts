import type { Pod } from "../../api/generated/types.ts";

/** A port of the node that a pod wants for itself. */
export interface HostPort {
  readonly ip: string;
  readonly port: number;
  readonly protocol: string;
}

const isAny = (ip: string): boolean => ip === "" || ip === "0.0.0.0" || ip === "::";

/** Of containers and sidecars; under `hostNetwork` each port is one of the node's. */
export const hostPortsOf = ({ spec }: Pod): HostPort[] =>
  [
    ...(spec?.containers ?? []),
    ...(spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always"),
  ].flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, hostIP = "", containerPort, protocol = "TCP" }) => {
      const port = hostPort ?? (spec?.hostNetwork === true ? containerPort : undefined);
      return port === undefined || port <= 0 ? [] : [{ ip: hostIP, port, protocol }];
    }),
  );

/** CTL-122: the same port and protocol, at the same address or with one of the two at all of them. */
export const portsClash = (one: HostPort, other: HostPort): boolean =>
  one.port === other.port &&
  one.protocol === other.protocol &&
  (isAny(one.ip) || isAny(other.ip) || one.ip === other.ip);
