import type { Context } from "../context.ts";
import type { Exchange } from "../http/exchange.ts";
import type { ResourceRoute } from "../route.ts";
import type { At } from "../write.ts";

/** Answers one request for objects; throws ApiErrors for what it refuses. */
export type Verb = (context: Context, exchange: Exchange, route: ResourceRoute) => Promise<void>;

/** Where the object that a route names lies. */
export const atOf = (route: ResourceRoute): At => ({ namespace: route.namespace, name: route.name ?? "" });
