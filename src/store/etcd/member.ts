import { isIP } from "node:net";
import { checkServerIdentity } from "node:tls";
import { Client, connectivityState, credentials, Metadata, type ChannelCredentials } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import type { Call, Calls } from "./calls.ts";
import { NOTHING } from "./calls.ts";
import { failureOf, Lost, reasonOf } from "./failure.ts";

/** PEM texts. */
export interface EtcdTls {
  /** The authority that etcd's certificate is signed by; absent: those that this machine believes. */
  readonly ca?: string;
  /** Our certificate and its key, for an etcd that asks for one; both or none. */
  readonly cert?: string;
  readonly key?: string;
}

/** The host of `HOST:PORT`, without the brackets of an IPv6 address. */
const hostOf = (endpoint: string): string => endpoint.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");

/** The certificate must be of the host that was asked for, whatever name the greeting used. */
const channelCredentials = (endpoint: string, tls: EtcdTls | undefined): ChannelCredentials => {
  if (tls === undefined) return credentials.createInsecure();
  const bytes = (text: string | undefined): Buffer | null => (text === undefined ? null : Buffer.from(text));
  return credentials.createSsl(bytes(tls.ca), bytes(tls.key), bytes(tls.cert), {
    checkServerIdentity: (_, certificate) => checkServerIdentity(hostOf(endpoint), certificate),
  });
};

/**
 * etcd counts pings that come more often than every 5 s and then hangs up (`--grpc-keepalive-min-time`), so a connection that is
 * silently dead is found after 9 s at the latest; requests have deadlines of their own.
 */
const CHANNEL_OPTIONS = {
  "grpc.keepalive_time_ms": 6000,
  "grpc.keepalive_timeout_ms": 3000,
  // A list of all objects is one message.
  "grpc.max_receive_message_length": -1,
  "grpc.max_send_message_length": -1,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1000,
  // Connections are this store's own: no proxy of the environment, no settings from DNS, none shared with another store.
  "grpc.enable_http_proxy": 0,
  "grpc.service_config_disable_resolution": 1,
  "grpc.use_local_subchannel_pool": 1,
};

/** A client of one member, with a connection of its own. */
const openClient = (endpoint: string, tls: EtcdTls | undefined): Client =>
  new Client(endpoint, channelCredentials(endpoint, tls), {
    ...CHANNEL_OPTIONS,
    // An address may not be a greeting's server name (RFC 6066, section 3), and the library would make it one.
    ...(isIP(hostOf(endpoint)) === 0 ? {} : { "grpc.ssl_target_name_override": "localhost" }),
  });

/** One etcd server, and the connection that requests to it share. */
export interface Member {
  /** HOST:PORT. */
  readonly endpoint: string;
  /** Undefined once there is a connection, else why there is none. */
  unreachable(deadline: number): Promise<string | undefined>;
  /** One call, sent once. Throws `Refusal` or `Lost`. */
  call<Request, Answer>(call: Call<Request, Answer>, request: Request, metadata: Metadata, by: number): Promise<Answer>;
  /** A client with a connection of its own, for a watch: what is large elsewhere does not hold it up. */
  openClient(): Client;
  close(): void;
}

export function createMember(endpoint: string, tls: EtcdTls | undefined, calls: Calls): Member {
  const client = openClient(endpoint, tls);
  const isConnected = (): boolean => client.getChannel().getConnectivityState(false) === connectivityState.READY;

  const send = <Request, Answer>(call: Call<Request, Answer>, request: Request, metadata: Metadata, deadline: number) =>
    new Promise<Answer>((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = call;
      const done = (error: ServiceError | null, answer?: Answer): void =>
        error === null ? resolve(answer!) : reject(error);
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, { deadline }, done);
    });

  let probing: Promise<string | undefined> | undefined;
  /** Any answer will do, a refusal too: it came over a connection. */
  const probe = async (deadline: number): Promise<string | undefined> => {
    try {
      await send(calls.range, { ...NOTHING, serializable: true }, new Metadata(), deadline);
    } catch (error) {
      if (!isConnected()) return reasonOf(error as ServiceError);
    }
    return undefined;
  };

  return {
    endpoint,
    unreachable: async (deadline) => {
      if (isConnected()) return undefined;
      probing ??= probe(deadline).finally(() => {
        probing = undefined;
      });
      return probing;
    },
    call: async (call, request, metadata, by) => {
      try {
        return await send(call, request, metadata, by);
      } catch (error) {
        throw error instanceof Error && "details" in error
          ? failureOf(error as ServiceError)
          : new Lost(String(error), { cause: error });
      }
    },
    openClient: () => openClient(endpoint, tls),
    close: () => client.close(),
  };
}
