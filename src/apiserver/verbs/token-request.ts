import { invalid, type Fault } from "../../api/fault.ts";
import type { BoundObjectReference, Pod, TokenRequest } from "../../api/generated/types.ts";
import type { KubeObject, Resource } from "../../api/object.ts";
import { nodes, pods, secrets } from "../../api/resources.ts";
import { invalidObject } from "../../api/status.ts";
import { timestamp } from "../../observe/clock.ts";
import { admitted } from "../admission/admission.ts";
import type { Context } from "../context.ts";
import { badRequest, conflict, notFound } from "../errors.ts";
import { readObject } from "../http/decode-object.ts";
import type { Exchange } from "../http/exchange.ts";
import { sendJson } from "../http/respond.ts";
import { makeClaims, type Reference, type Subject } from "../tokens/claims.ts";
import { newUid } from "../uid.ts";
import { itemAt } from "../write.ts";
import { writerOf } from "../writer.ts";
import { placedAt } from "./change-object.ts";
import { atOf, type Verb } from "./verb.ts";

const TOKEN_REQUEST = {
  group: "authentication.k8s.io",
  version: "v1",
  plural: "tokenrequests",
  kind: "TokenRequest",
  type: "TokenRequest",
  namespaced: true,
};

const DEFAULT_LIFE = 3600;
const SHORTEST_LIFE = 600;
const LONGEST_LIFE = 2 ** 32;
/** What kubelet asks for when it only says an hour: such tokens serve a year, for programs that read them but once. */
const KUBELET_LIFE = 3607;
const EXTENDED_LIFE = 365 * 24 * 3600;

function refuse(name: string, faults: readonly Fault[]): void {
  if (faults.length > 0) throw invalidObject(TOKEN_REQUEST.group, TOKEN_REQUEST.kind, name, faults);
}

function checkLife(seconds: number): Fault[] {
  const field = "spec.expirationSeconds";
  if (seconds < SHORTEST_LIFE) return [invalid(field, seconds, "may not specify a duration less than 10 minutes")];
  if (seconds > LONGEST_LIFE) return [invalid(field, seconds, "may not specify a duration larger than 2^32 seconds")];
  return [];
}

function objectOf(context: Context, resource: Resource, namespace: string | undefined, name: string): KubeObject {
  const kind = context.kinds.find(resource.group, resource.version, resource.plural);
  const found = kind && itemAt(context, kind, { namespace, name });
  if (found === undefined) throw notFound(resource, name);
  return found.object;
}

const referenceTo = ({ metadata }: KubeObject): Reference => ({ name: metadata.name ?? "", uid: metadata.uid ?? "" });

/** Where a pod runs, as its token tells it: a Node that is not there has a name all the same. */
function nodeOf(context: Context, pod: Pod): { readonly node?: Reference } {
  const name = pod.spec?.nodeName ?? "";
  if (name === "") return {};
  const kind = context.kinds.find(nodes.group, nodes.version, nodes.plural);
  const found = kind && itemAt(context, kind, { namespace: undefined, name });
  return { node: found === undefined ? { name, uid: "" } : referenceTo(found.object) };
}

/** What the token is to go with. @throws ApiError NotFound, BadRequest, Conflict */
function boundTo(
  context: Context,
  account: KubeObject,
  reference: BoundObjectReference,
): Pick<Subject, "pod" | "secret" | "node"> {
  const { apiVersion = "", kind = "", name = "", uid = "" } = reference;
  const { namespace } = account.metadata;
  const find = (resource: Resource): KubeObject =>
    objectOf(context, resource, resource.namespaced ? namespace : undefined, name);
  const check = (object: KubeObject): Reference => {
    const found = referenceTo(object);
    if (uid === "" || uid === found.uid) return found;
    throw conflict(
      { group: "", plural: kind },
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  };
  const isCore = !apiVersion.includes("/");
  if (isCore && kind === "Pod") {
    const pod = find(pods) as Pod;
    if (pod.spec?.serviceAccountName !== account.metadata.name) {
      throw badRequest(
        `cannot bind token for serviceaccount ${JSON.stringify(account.metadata.name)} to pod running with different serviceaccount name.`,
      );
    }
    return { pod: check(pod), ...nodeOf(context, pod) };
  }
  if (isCore && kind === "Secret") return { secret: check(find(secrets)) };
  if (isCore && kind === "Node") return { node: check(find(nodes)) };
  const [version = "", group = ""] = apiVersion.split("/").reverse();
  throw badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${kind}`);
}

/** What is asked for, with all that was left out. @throws ApiError Invalid, Conflict, NotFound */
async function read(context: Context, exchange: Exchange, route: Parameters<Verb>[2]) {
  const { namespace, name } = atOf(route);
  const decoded = (await readObject(exchange, TOKEN_REQUEST)) as TokenRequest;
  const { name: said } = decoded.metadata ?? {};
  if (said !== undefined && said !== "" && said !== name) {
    refuse(name, [invalid("metadata.name", said, "must match the service account name if specified")]);
  }
  const request = placedAt(route.kind, { ...decoded, metadata: decoded.metadata ?? {} }, { namespace, name });
  const account = objectOf(context, route.kind, namespace, name);
  const { uid = "" } = request.metadata;
  if (uid !== "" && uid !== account.metadata.uid) {
    throw conflict(
      { group: TOKEN_REQUEST.group, plural: TOKEN_REQUEST.kind },
      name,
      `the UID in the token request (${uid}) does not match the UID of the service account (${account.metadata.uid})`,
    );
  }
  return { request: request as TokenRequest, account };
}

/** POST of `serviceaccounts/NAME/token`: a new token for the ServiceAccount, which is nowhere stored. */
export const tokenRequest: Verb = async (context, exchange, route) => {
  const { request, account } = await read(context, exchange, route);
  const { tokens } = context;
  const said = request.spec ?? {};
  const audiences = said.audiences === undefined || said.audiences.length === 0 ? tokens.audiences : said.audiences;
  let life = said.expirationSeconds ?? DEFAULT_LIFE;
  refuse("", checkLife(life));
  const bound = said.boundObjectRef === undefined ? {} : boundTo(context, account, said.boundObjectRef);
  await admitted(context, {
    ...writerOf(exchange),
    ...atOf(route),
    operation: "create",
    kind: route.kind,
    subresource: "token",
    next: request,
    previous: undefined,
    isRetry: false,
  });
  if (tokens.longestLife !== undefined && life > tokens.longestLife) {
    exchange.warnings.add(`requested expiration of ${life} seconds shortened to ${tokens.longestLife} seconds`);
    life = tokens.longestLife;
  }
  const isKubelets =
    life === KUBELET_LIFE &&
    bound.pod !== undefined &&
    audiences.every((audience) => tokens.audiences.includes(audience));
  const nowMs = context.clock.now();
  const claims = makeClaims({
    namespace: account.metadata.namespace ?? "",
    account: referenceTo(account),
    ...bound,
    issuer: tokens.issuer,
    audiences,
    now: Math.floor(nowMs / 1000),
    lifetime: isKubelets ? EXTENDED_LIFE : life,
    ...(isKubelets ? { warnAfter: life } : {}),
    id: newUid(context.random),
  });
  await sendJson(exchange, 201, {
    kind: TOKEN_REQUEST.kind,
    apiVersion: request.apiVersion,
    metadata: { ...request.metadata, uid: account.metadata.uid, creationTimestamp: timestamp(nowMs) },
    // Clients in Go write what is not bound as null, and expect it so.
    spec: { audiences, expirationSeconds: life, boundObjectRef: said.boundObjectRef ?? null },
    status: { token: tokens.sign(claims), expirationTimestamp: timestamp(nowMs + life * 1000) },
  });
};
