import { familyOf } from "../../../net/ip.ts";
import type { BackendPlan, RoutePlan } from "../../plan/plan.ts";
import type { RouteSettings } from "../../settings/settings.ts";
import { isHashKey } from "./compile/hash-key.ts";
import { isRedirect } from "./compile/record.ts";
import { hasRetries } from "./compile/retries.ts";

/** Something that HAProxy's configuration has no way to do, or none that changes without a reload. */
interface Inability {
  /** As in {@link RouteSettings}, or what of a route or backend it is. */
  readonly what: string;
  readonly because: string;
  readonly needed: (route: RoutePlan, backend: BackendPlan | undefined) => boolean;
}

const setting =
  (needs: (settings: RouteSettings) => boolean): Inability["needed"] =>
  ({ settings }) =>
    needs(settings);

/** Of a Service of type ExternalName. */
export const hasNames = ({ endpoints }: BackendPlan): boolean =>
  endpoints.some(({ address }) => familyOf(address) === undefined);

/** What is handed to the engine behind, each with the reason. Everything else HAProxy does by itself. */
const INABILITIES: readonly Inability[] = [
  {
    what: "redirect",
    because: "where it leads has variables in it, and a map's value cannot have any",
    needed: setting(({ redirect }) => redirect !== undefined),
  },
  {
    what: "httpsRedirect",
    because: "it redirects with 301, 302, 303, 307 and 308 only",
    needed: setting(({ httpsRedirect }) => httpsRedirect !== undefined && !isRedirect(httpsRedirect)),
  },
  {
    what: "sources",
    because: "an address range cannot be looked up together with a route, so that each change would be a reload",
    needed: setting(({ sources }) => sources !== undefined),
  },
  {
    what: "basicAuth",
    because: "user lists are fixed at start, and apr1 hashes are not known to crypt(3)",
    needed: setting(({ basicAuth }) => basicAuth !== undefined),
  },
  {
    what: "externalAuth",
    because: "it asks somebody else first, which the configuration cannot",
    needed: setting(({ externalAuth }) => externalAuth !== undefined),
  },
  {
    what: "rateLimit",
    because: "tables of counters and their limits are fixed at start",
    needed: setting(({ rateLimit }) => rateLimit !== undefined),
  },
  {
    what: "cors",
    because: "answers to preflight requests are made of patterns of origins",
    needed: setting(({ cors }) => cors !== undefined),
  },
  {
    what: "rewrite",
    because: "a replacement with captures is fixed at start",
    needed: setting(({ rewrite }) => rewrite !== undefined),
  },
  {
    what: "requestHeaders",
    because: "a header's name is fixed at start",
    needed: setting(({ requestHeaders }) => requestHeaders.length > 0),
  },
  {
    what: "responseHeaders",
    because: "a header's name is fixed at start",
    needed: setting(({ responseHeaders }) => responseHeaders.length > 0),
  },
  {
    what: "cookies",
    because: "each Set-Cookie is to be taken apart",
    needed: setting(({ cookies }) => cookies !== undefined),
  },
  {
    what: "locations",
    because: "a replacement is fixed at start",
    needed: setting(({ locations }) => locations !== undefined),
  },
  {
    what: "errorPages",
    because: "a response cannot be replaced by one of another backend",
    needed: setting(({ errorPages }) => errorPages !== undefined),
  },
  {
    what: "mirror",
    because: "a request cannot be sent twice",
    needed: setting(({ mirror }) => mirror !== undefined),
  },
  {
    what: "retry",
    because: "status 429 and a bound in time are not among the reasons and bounds that it knows",
    needed: setting(({ retry }) => !hasRetries(retry)),
  },
  {
    what: "canaries",
    because: "names of headers and cookies are fixed at start, and a session is to be looked up in several backends",
    needed: ({ canaries }) => canaries.length > 0,
  },
  {
    what: "affinity.conditionalSameSiteNone",
    because: "which browsers misread SameSite=None is one list, and it is the builtin engine's",
    needed: ({ affinity }) => affinity?.conditionalSameSiteNone === true && affinity.sameSite === "None",
  },
  {
    what: "balance: ewma",
    because: "it has no balancing by latency",
    needed: (_, backend) => backend?.settings.balance.algorithm === "ewma",
  },
  {
    what: "balance: hash",
    because: "the key has a variable that it does not know",
    needed: (_, backend) => backend?.settings.balance.algorithm === "hash" && !isHashKey(backend.settings.balance.key),
  },
  {
    what: "endpoints by name",
    because: "which resolvers answer for the names of servers is fixed at start",
    needed: (_, backend) => backend !== undefined && hasNames(backend),
  },
  {
    what: "tls to endpoints",
    because: "files of authorities and certificates of its own for servers are read at start only",
    needed: (_, backend) => {
      const tls = backend?.settings.tls;
      return (
        tls !== undefined &&
        (tls.ca !== undefined ||
          tls.certificate !== undefined ||
          (tls.serverName !== undefined && !/^[A-Za-z0-9._-]+$/.test(tls.serverName)))
      );
    },
  },
];

/** Why a route is handed to the engine behind; undefined: HAProxy does it by itself. */
export const inability = (route: RoutePlan, backend: BackendPlan | undefined): Inability | undefined =>
  INABILITIES.find(({ needed }) => needed(route, backend));
