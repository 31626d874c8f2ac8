import { ApiError } from "../../api/status.ts";

/** CTL-050: whether something could not be created because its namespace is going, and all in it with it. */
export const isNamespaceGoing = (error: unknown): boolean =>
  error instanceof ApiError &&
  (error.details?.causes?.some(({ reason }) => reason === "NamespaceTerminating") === true ||
    (error.reason === "NotFound" && error.details?.kind === "namespaces"));
