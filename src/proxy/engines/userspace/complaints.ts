import { hostPort } from "../../../net/ip.ts";
import type { Refused } from "./carrier/carried.ts";

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program listens there; it is tried again every second",
  EADDRNOTAVAIL:
    "it is not an address of this machine, and making it one takes root, or a network namespace of one's own (fairlead up --private)",
  EACCES: "ports below 1024 take root, or the kernel setting net.ipv4.ip_unprivileged_port_start",
  EMFILE: "no more files may be open in the carrier process: raise the limit (ulimit -n)",
};

/** `TCP 192.168.8.1:30080 of default/web is not carried: another program listens there; …` */
export const sentenceOf = ({ protocol, ip, port, service, code }: Refused): string =>
  `${protocol} ${hostPort(ip, port)} of ${service} is not carried: ${REASONS[code] ?? code}`;
