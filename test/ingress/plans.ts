import { tokensOf, type CookieKeys } from "../../src/ingress/affinity/token.ts";
import type {
  BackendPlan,
  Balance,
  CanaryPlan,
  CookieAffinity,
  EndpointPlan,
  IngressPlan,
  RoutePlan,
} from "../../src/ingress/plan/plan.ts";
import type { RequestHead } from "../../src/ingress/request.ts";
import type { RouteSettings } from "../../src/ingress/settings/settings.ts";

/** Numbers as by chance, the same in each run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const cookieKeys = (...seeds: readonly number[]): CookieKeys => seeds.map((seed) => Buffer.alloc(32, seed));

const tokens = tokensOf(cookieKeys(1));

export const endpointPlan = (key: string, also: Partial<EndpointPlan> = {}): EndpointPlan => ({
  key,
  address: "10.0.0.1",
  port: 8080,
  tokens: tokens(key),
  state: "serving",
  weight: 100,
  ...also,
});

/** Keys `pod-0` and on. */
export const endpointPlans = (count: number, from = 0): EndpointPlan[] =>
  Array.from({ length: count }, (_, at) => endpointPlan(`pod-${from + at}`));

export const backendPlan = (
  id: string,
  endpoints: readonly EndpointPlan[],
  balance: Balance = { algorithm: "round-robin" },
): BackendPlan => ({
  id,
  namespace: "shop",
  service: id,
  port: "80",
  settings: { protocol: "HTTP", tls: undefined, balance },
  endpoints,
});

export const cookieAffinity = (also: Partial<CookieAffinity> = {}): CookieAffinity => ({
  name: "INGRESSCOOKIE",
  mode: "balanced",
  canaryBehavior: "sticky",
  path: "/",
  domain: undefined,
  sameSite: undefined,
  conditionalSameSiteNone: false,
  maxAge: undefined,
  expires: undefined,
  secure: undefined,
  changeOnFailure: false,
  ...also,
});

export const canaryPlan = (backend: string | undefined, also: Partial<CanaryPlan> = {}): CanaryPlan => ({
  ingress: { namespace: "shop", name: backend ?? "canary" },
  backend,
  header: undefined,
  cookie: undefined,
  weight: 0,
  total: 100,
  ...also,
});

export const routePlan = (backend: string | undefined, also: Partial<RoutePlan> = {}): RoutePlan => ({
  id: `shop/web a.example prefix:${also.path ?? "/"}`,
  ingress: { namespace: "shop", name: "web" },
  host: "a.example",
  match: { type: "prefix", path: "" },
  path: "/",
  // What is chosen does not depend on them.
  settings: {} as RouteSettings,
  backend,
  affinity: undefined,
  canaries: [],
  ...also,
});

export const planOf = (...backends: readonly BackendPlan[]): IngressPlan => ({
  hosts: new Map(),
  backends: new Map(backends.map((backend) => [backend.id, backend])),
  certificates: new Map(),
});

export const requestHead = (also: Partial<RequestHead> = {}): RequestHead => ({
  method: "GET",
  target: "/",
  path: "/",
  query: "",
  host: "a.example",
  authority: "a.example",
  scheme: "http",
  protocol: "HTTP/1.1",
  headers: {},
  client: "192.0.2.1",
  port: 80,
  requestId: "1",
  ...also,
});

export const withCookie = (cookie: string | undefined): RequestHead =>
  requestHead({ headers: cookie === undefined ? {} : { cookie } });
