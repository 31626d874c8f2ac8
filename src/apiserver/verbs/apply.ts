import type { Kind } from "../../api/kind.ts";
import { apiVersionOf, type KubeObject } from "../../api/object.ts";
import { ApiError, isApiError } from "../../api/status.ts";
import { timestamp } from "../../observe/clock.ts";
import { forbidden } from "../access/authorizer.ts";
import type { Context } from "../context.ts";
import { badRequest } from "../errors.ts";
import { parseApplied } from "../http/applied-body.ts";
import { decodeObject } from "../http/decode-object.ts";
import type { Exchange } from "../http/exchange.ts";
import { writeOptions } from "../http/write-options.ts";
import { apply as applyFields, type Applied } from "../managed/apply.ts";
import { misfitWords } from "../managed/check.ts";
import { applyConflict } from "../managed/conflicts.ts";
import { takenOver, withLastApplied } from "../managed/last-applied.ts";
import { shapeOf as fieldsOf } from "../managed/shape.ts";
import { withManagers } from "../managed/track-update.ts";
import { sendItem, shapeOf } from "../output/shape.ts";
import type { ResourceRoute } from "../route.ts";
import { MAXIMUM_ATTEMPTS } from "../write.ts";
import { changeObject } from "./change-object.ts";
import { createObject } from "./create-object.ts";
import { patchedAt } from "./patched.ts";
import { atOf } from "./verb.ts";

/** `/v1, Kind=Service`, as upstream writes the type of an object in messages. */
function typeWords(apiVersion: unknown, kind: unknown): string {
  const said = typeof apiVersion === "string" ? apiVersion : "";
  return `${said.includes("/") ? said : `/${said}`}, Kind=${typeof kind === "string" ? kind : ""}`;
}

type AppliedObject = Record<string, unknown> & { metadata?: Partial<KubeObject["metadata"]> | null };

/** Refuses what is no object of the kind, or names who owns its fields. @throws ApiError */
function checkApplied(kind: Kind, applied: AppliedObject): void {
  const type = typeWords(applied["apiVersion"], applied["kind"]);
  if (applied["apiVersion"] !== apiVersionOf(kind) || applied["kind"] !== kind.kind) {
    throw badRequest(`invalid object type: ${type}`);
  }
  const { metadata } = applied;
  if (metadata?.managedFields !== undefined && metadata.managedFields !== null) {
    throw badRequest("metadata.managedFields must be nil");
  }
  const misfit = misfitWords(fieldsOf(kind.type), applied);
  if (misfit === undefined) return;
  const where = `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}; ${type}`;
  // Upstream answers so, although the fault is the client's.
  throw new ApiError("InternalError", `failed to create typed patch object (${where}): ${misfit}`);
}

/** Whoever creates by applying must be allowed to create. @throws ApiError Forbidden */
function checkMayCreate(
  context: Context,
  { identity, path }: Exchange,
  { kind, namespace, name = "" }: ResourceRoute,
): void {
  const attributes = {
    identity,
    path,
    verb: "create",
    resource: kind.plural,
    group: kind.group,
    version: kind.version,
    subresource: "",
    namespace: namespace ?? "",
    name,
  };
  const { verdict, reason } = context.authorizer.decide(attributes);
  if (verdict !== "allow") throw forbidden(attributes, reason);
}

/**
 * PATCH by server-side apply: the object is to have what the body names, and the writer owns that. An object that is not there is created.
 *
 * @throws ApiError Conflict when other managers have other values, unless forced
 */
export async function apply(context: Context, exchange: Exchange, route: ResourceRoute, text: string): Promise<void> {
  const { kind, subresource = "" } = route;
  const at = atOf(route);
  const shape = shapeOf(exchange);
  const { dryRun, fieldManager: manager, force } = writeOptions(exchange, "PatchOptions", true);
  const { body, duplicates } = await parseApplied(text);
  const applied = body as AppliedObject;
  checkApplied(kind, applied);
  const now = timestamp(context.clock.now());

  const applyTo = (live: KubeObject | undefined): KubeObject => {
    const allowed = live === undefined ? undefined : takenOver(kind, live, manager);
    const result: Applied = applyFields(kind, live, applied, { manager, subresource, now, force, allowed });
    if (result.isConflict) throw applyConflict(result.conflicts);
    if (duplicates !== undefined) {
      const validation = exchange.query.get("fieldValidation") ?? "";
      if (validation === "Strict") throw badRequest(`error strict decoding YAML: ${duplicates}`);
      if (validation !== "Ignore") exchange.warnings.add(duplicates);
    }
    const decoded = decodeObject(exchange, kind, withLastApplied(result.object, applied, manager));
    return patchedAt(kind, withManagers(decoded, result.managers), at, live);
  };
  const writer = {
    identity: exchange.identity,
    dryRun,
    warn: (sentence: string) => void exchange.warnings.add(sentence),
  };
  const by = subresource === "status" ? "status" : "main";
  for (let attempt = 0; attempt < MAXIMUM_ATTEMPTS; attempt++) {
    try {
      const item = await changeObject(context, kind, at, { ...writer, by }, ({ object }) => applyTo(object));
      return await sendItem(exchange, context, kind, item, 200, shape);
    } catch (error) {
      if (!isApiError(error, "NotFound")) throw error;
      const created = applyTo(undefined);
      // Upstream lets a kind that PUT may create be created through its status, too.
      if (by === "status" && !kind.createOnUpdate) throw error;
      checkMayCreate(context, exchange, route);
      const { resourceVersion: _, ...metadata } = created.metadata;
      try {
        const item = await createObject(context, kind, { ...created, metadata }, writer);
        return await sendItem(exchange, context, kind, item, 201, shape);
      } catch (failure) {
        // Somebody else created it meanwhile: then it is changed.
        if (!isApiError(failure, "AlreadyExists")) throw failure;
      }
    }
  }
  const what = `${kind.plural} ${JSON.stringify(at.name)}`;
  throw new ApiError("Timeout", `applying ${what}: other writers came first ${MAXIMUM_ATTEMPTS} times; try again`, {
    retryAfterSeconds: 1,
  });
}
