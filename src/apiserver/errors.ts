import type { Resource } from "../api/object.ts";
import { ApiError } from "../api/status.ts";

type Named = Pick<Resource, "group" | "plural">;

/** `services`, or `endpointslices.discovery.k8s.io`. */
const resourceName = (resource: Named): string =>
  resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;

/** What a Status about one object says beside its message; upstream puts the plural where `kind` is. */
export const detailsOf = (resource: Named, name: string): { name: string; group?: string; kind: string } => ({
  name,
  ...(resource.group === "" ? {} : { group: resource.group }),
  kind: resource.plural,
});

export const notFound = (resource: Named, name: string): ApiError =>
  new ApiError("NotFound", `${resourceName(resource)} "${name}" not found`, detailsOf(resource, name));

export const alreadyExists = (resource: Named, name: string): ApiError =>
  new ApiError("AlreadyExists", `${resourceName(resource)} "${name}" already exists`, detailsOf(resource, name));

/** As `alreadyExists`, for a name that the server made from `generateName`. */
export const notUnique = (resource: Named, name: string): ApiError =>
  new ApiError(
    "AlreadyExists",
    `${resourceName(resource)} "${name}" already exists, the server was not able to generate a unique name for the object`,
    { ...detailsOf(resource, name), retryAfterSeconds: 1 },
  );

export const conflict = (resource: Named, name: string, why: string): ApiError =>
  new ApiError(
    "Conflict",
    `Operation cannot be fulfilled on ${resourceName(resource)} "${name}": ${why}`,
    detailsOf(resource, name),
  );

/** The words clients match on to read the object again and retry. */
export const CHANGED_MEANWHILE =
  "the object has been modified; please apply your changes to the latest version and try again";

export const forbiddenWrite = (
  resource: Named,
  name: string,
  why: string,
  causes: { reason: string; message: string; field: string }[] = [],
): ApiError =>
  new ApiError("Forbidden", `${resourceName(resource)} "${name}" is forbidden: ${why}`, {
    ...detailsOf(resource, name),
    ...(causes.length === 0 ? {} : { causes }),
  });

export const methodNotAllowed = (): ApiError =>
  new ApiError("MethodNotAllowed", "the server does not allow this method on the requested resource", {});

/** What went wrong within the server, as upstream says it: in the message and as a cause without field. */
export const internalError = (what: string): ApiError =>
  new ApiError("InternalError", `Internal error occurred: ${what}`, { causes: [{ message: what }] });

export const badRequest = (message: string): ApiError => new ApiError("BadRequest", message);

/** A revision that is no longer remembered. */
export const expired = (message: string): ApiError => new ApiError("Expired", message);
