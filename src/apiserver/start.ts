import { kinds } from "../api/kinds.ts";
import { parseCidr } from "../net/cidr.ts";
import type { Clock } from "../observe/clock.ts";
import type { Log } from "../observe/log.ts";
import { createMetrics } from "../observe/metrics.ts";
import type { Store } from "../store/store.ts";
import { defaultIngressClass } from "./admission/default-ingress-class.ts";
import { denyServiceExternalIPs } from "./admission/deny-service-external-ips.ts";
import { resourceQuota } from "./admission/resource-quota/resource-quota.ts";
import { serviceAccount } from "./admission/service-account/service-account.ts";
import { nodesAndRoles } from "./access/access.ts";
import { bootstrap } from "./bootstrap/bootstrap.ts";
import type { Advertised } from "./bootstrap/objects.ts";
import { updateOlderServices } from "./bootstrap/older-services.ts";
import { readServiceRanges } from "./bootstrap/ranges.ts";
import { WatchCache } from "./cache/watch-cache.ts";
import { cachedReader } from "./claims/cached-reader.ts";
import type { NodePortRange } from "./claims/plan-node-ports.ts";
import { serviceClaims } from "./claims/service-claims.ts";
import { allocatorMetrics } from "./metrics/allocator-metrics.ts";
import { createApiServer, type ApiServer, type ApiServerOptions } from "./server.ts";

export interface StartOptions extends Pick<
  ApiServerOptions,
  "tls" | "tokens" | "streams" | "version" | "random" | "metrics"
> {
  readonly store: Store;
  /** `--service-cluster-ip-range`: the primary range first. */
  readonly serviceRanges: readonly string[];
  readonly nodePortRange: NodePortRange;
  /** Where clients within the cluster reach this server. */
  readonly advertise: Advertised;
  /** Whether Services may take any address with `externalIPs`; absent: no new ones (SVC-304). */
  readonly allowExternalIPs?: boolean;
  /** `--disable-admission-plugins`, for a server without the controllers that make what they need: only `ServiceAccount`. */
  readonly disabledAdmissions?: readonly "ServiceAccount"[];
  /** `--service-account-issuer`: the first signs, all are believed. Absent: this server by its name in the cluster. */
  readonly serviceAccountIssuer?: readonly string[];
  /** `--api-audiences`; absent: the issuers. */
  readonly apiAudiences?: readonly string[];
  /** PEM of the key that signs ServiceAccounts' tokens, and of all by which they are believed. Absent: a key of this process. */
  readonly serviceAccountKeys?: { readonly signing: string; readonly verifying: readonly string[] };
  readonly clock: Clock;
  readonly log: Log;
}

/** The name by which every cluster knows its own API server. */
const DEFAULT_ISSUER = "https://kubernetes.default.svc.cluster.local";

const jwksUri = ({ ip, port }: Advertised): string =>
  `https://${ip.includes(":") ? `[${ip}]` : ip}:${port}/openid/v1/jwks`;

/**
 * The whole Kubernetes API over a store: what every cluster has is made, then everything stored is read. Nothing listens yet.
 *
 * @throws Error when the ranges contradict what is stored, with what to do
 */
export async function startApiServer(options: StartOptions): Promise<ApiServer> {
  const { store, serviceRanges, nodePortRange, advertise, allowExternalIPs = false, clock, log, ...others } = options;
  const { serviceAccountIssuer, apiAudiences, serviceAccountKeys, disabledAdmissions = [], ...rest } = others;
  const [primary] = readServiceRanges(serviceRanges);
  await bootstrap({ store, serviceRanges, nodePortRange, advertise, clock, log });
  const cache = new WatchCache({ store, kinds, clock, log });
  const metrics = options.metrics ?? createMetrics();
  const families = serviceRanges.map((range) => parseCidr(range).family);
  const reader = cachedReader(store, cache, families);
  const observer = allocatorMetrics(metrics, { cache, reader, nodePortRange });
  return createApiServer({
    ...rest,
    store,
    kinds,
    access: nodesAndRoles,
    clock,
    log,
    // What is refused for another reason must not be counted: quotas come last.
    admissions: [
      ...(disabledAdmissions.includes("ServiceAccount") ? [] : [serviceAccount]),
      defaultIngressClass,
      ...(allowExternalIPs ? [] : [denyServiceExternalIPs]),
      resourceQuota,
    ],
    serviceAccountTokens: {
      issuers: serviceAccountIssuer ?? [DEFAULT_ISSUER],
      audiences: apiAudiences,
      signingKey: serviceAccountKeys?.signing,
      keys: serviceAccountKeys?.verifying,
      jwksUri: jwksUri(advertise),
    },
    loaded: (context) => updateOlderServices(context, primary!.family),
    cache,
    metrics,
    claims: serviceClaims({ reader, nodePortRange, clock, observer }),
    upkeep: async (context) => {
      const { startUpkeep } = await import("./upkeep/upkeep.ts");
      return startUpkeep(context, { serviceRanges, nodePortRange, advertise, reader });
    },
  });
}
