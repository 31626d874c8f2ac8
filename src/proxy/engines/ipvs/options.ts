/** What of IPVS can be chosen; the names are those of `KubeProxyConfiguration.ipvs`. */
export interface IpvsOptions {
  /** The kernel's scheduler of Services that ask for none: PRX-184. */
  readonly scheduler: string;
  /** Other machines are not told that this one has the Services' addresses: for balancers that announce them themselves. */
  readonly strictARP: boolean;
  /** Seconds; 0 leaves the kernel's own (PRX-187). */
  readonly tcpTimeout: number;
  readonly tcpFinTimeout: number;
  readonly udpTimeout: number;
  /** Virtual servers in these ranges are never removed (PRX-188). */
  readonly excludeCIDRs: readonly string[];
}

export const USUAL_OPTIONS: IpvsOptions = {
  scheduler: "rr",
  strictARP: false,
  tcpTimeout: 0,
  tcpFinTimeout: 0,
  udpTimeout: 0,
  excludeCIDRs: [],
};
