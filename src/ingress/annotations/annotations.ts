import type { BackendSettings, CanaryPlan, CookieAffinity } from "../plan/plan.ts";
import type { IngressFault } from "../plan/view.ts";
import type { RouteSettings } from "../settings/settings.ts";

/** What the annotations of one Ingress say, whether `nginx.ingress.kubernetes.io/` or `fairlead.dev/` (which is stronger). */
export interface Annotated {
  /** For all of its routes. `httpsRedirect` is what `ssl-redirect` says where a host has TLS; see `redirectsAlways`. */
  readonly settings: RouteSettings;
  /** `force-ssl-redirect`: also where the host has no TLS of its own. */
  readonly redirectsAlways: boolean;
  readonly backend: BackendSettings;
  /** Without a path it is the path of each rule. */
  readonly affinity: (Omit<CookieAffinity, "path"> & { readonly path: string | undefined }) | undefined;
  /** Present: this Ingress is a canary of the one that has its hosts and paths. */
  readonly canary: Omit<CanaryPlan, "ingress" | "backend"> | undefined;
  /** More hosts that are served as the first. */
  readonly serverAliases: readonly string[];
  /** `www.a.example` is sent to `a.example`, or the other way, whichever is not a host of its own. */
  readonly wwwRedirect: boolean;
  /** Paths of type ImplementationSpecific and Prefix are expressions. */
  readonly useRegex: boolean;
  /** Requests go to the Service's address, and the proxy of the node balances. */
  readonly serviceUpstream: boolean;
  /** Service in the same namespace that answers where a backend has no endpoint. */
  readonly defaultBackend: string | undefined;
  readonly faults: readonly IngressFault[];
}
