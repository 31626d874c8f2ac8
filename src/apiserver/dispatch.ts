import { DEPRECATED } from "../api/endpoints/endpoints.ts";
import { standOnLatest } from "./consistency.ts";
import type { Context } from "./context.ts";
import { deletesMany } from "./discovery/resources.ts";
import { badRequest, methodNotAllowed } from "./errors.ts";
import { queryFlag } from "./http/decode-object.ts";
import type { Exchange } from "./http/exchange.ts";
import { pathNotFound, type ResourceRoute } from "./route.ts";
import { subresourcesOf } from "./subresources.ts";
import { create } from "./verbs/create.ts";
import { remove } from "./verbs/delete.ts";
import { deletecollection } from "./verbs/deletecollection.ts";
import { finalize } from "./verbs/finalize.ts";
import { get } from "./verbs/get.ts";
import { list } from "./verbs/list.ts";
import { patch } from "./verbs/patch.ts";
import { update } from "./verbs/update.ts";
import type { Verb } from "./verbs/verb.ts";
import { watch } from "./verbs/watch.ts";

type Methods = Readonly<Record<string, Verb>>;

const COLLECTION: Methods = { GET: list, POST: create, DELETE: deletecollection };
const KEPT: Methods = { GET: list, POST: create };
/** All namespaces together may be read, not written. */
const ALL_NAMESPACES: Methods = { GET: list };
const OBJECT: Methods = { GET: get, PUT: update, PATCH: patch, DELETE: remove };
const STATUS: Methods = { GET: get, PUT: update, PATCH: patch };
const FINALIZE: Methods = { PUT: finalize };

function methodsOf({ kind, namespace, name, subresource }: ResourceRoute): Methods {
  if (name === undefined && kind.namespaced && namespace === undefined) return ALL_NAMESPACES;
  if (name === undefined) return deletesMany(kind) ? COLLECTION : KEPT;
  if (subresource === undefined) return OBJECT;
  const below = subresourcesOf(kind);
  if (Object.hasOwn(below, subresource)) return below[subresource]!.methods;
  if (subresource === "status" && kind.subresources.includes("status")) return STATUS;
  if (subresource === "finalize" && kind.subresources.includes("finalize")) return FINALIZE;
  throw pathNotFound();
}

/**
 * Where a path has nothing in a namespace's place, a list is of all namespaces, and nothing else means anything. A name is one word of a
 * path, whatever escapes it was written with.
 *
 * @throws ApiError BadRequest
 */
function placed(route: ResourceRoute, method: string): ResourceRoute {
  const { name, namespace } = route;
  if (namespace === "") {
    const isMany = name === undefined && method !== "POST" && method !== "DELETE";
    if (!isMany) throw badRequest("Namespace parameter required.");
    return method === "GET" ? { ...route, namespace: undefined } : route;
  }
  if (name === undefined) return route;
  const isStep = name === "." || name === "..";
  const why = isStep ? `may not be '${name}'` : name.includes("%") ? "may not contain '%'" : undefined;
  if (why !== undefined) throw badRequest(`Name parameter invalid: ${JSON.stringify(name)}: ${why}`);
  return route;
}

/** Answers a request for objects by the verb that its method and path mean. */
export async function dispatch(context: Context, exchange: Exchange, asked: ResourceRoute): Promise<void> {
  const methods = methodsOf(asked);
  const route = placed(asked, exchange.method);
  const verb = Object.hasOwn(methods, exchange.method) ? methods[exchange.method] : undefined;
  if (verb === undefined) throw methodNotAllowed();
  if (route.kind.group === "" && route.kind.plural === "endpoints") exchange.warnings.add(DEPRECATED);
  if (context.store.shared) await standOnLatest(context, exchange);
  const reads = exchange.method === "GET" && route.subresource === undefined;
  if (reads && (route.watch || (verb === list && queryFlag(exchange.query, "watch"))))
    return watch(context, exchange, route);
  return verb(context, exchange, route);
}
