import { connect as connectPlain, type NetConnectOpts } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import type { UpstreamTls } from "../../../plan/plan.ts";

/** Where an endpoint is, and how a connection to it is made. */
export interface Place {
  /** An address, or the name of an ExternalName Service. */
  readonly address: string;
  readonly port: number;
  /** Undefined: without TLS. */
  readonly tls: UpstreamTls | undefined;
}

/** There was no connection in time. */
export class ConnectTimeout extends Error {
  readonly code = "UND_ERR_CONNECT_TIMEOUT";
}

/** What TLS to an endpoint is spoken with. Without `ca` its certificate is not checked, without `serverName` its name is not. */
function tlsOptions({ ca, certificate, key, serverName }: UpstreamTls): ConnectionOptions {
  return {
    rejectUnauthorized: ca !== undefined,
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined || key === undefined ? {} : { cert: certificate, key }),
    ...(serverName === undefined ? { checkServerIdentity: () => undefined } : { servername: serverName }),
  };
}

type Connected = ReturnType<typeof connectPlain>;

/** Opens a connection. Either side may end its half of it before the other. */
export function openConnection({ address, port, tls }: Place, protocols: readonly string[]): Connected {
  const common = {
    host: address,
    port,
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
  };
  if (tls === undefined) {
    // `highWaterMark` is known to Node, though not to its types: large bodies go in larger pieces.
    const options: NetConnectOpts & { highWaterMark: number } = { ...common, highWaterMark: 65_536 };
    return connectPlain(options);
  }
  return connectTls({ ...common, ...tlsOptions(tls), ALPNProtocols: [...protocols] });
}
