import { decode } from "../../api/decode.ts";
import type { Kind } from "../../api/kind.ts";
import { kinds } from "../../api/kinds.ts";
import { apiVersionOf, type KubeObject } from "../../api/object.ts";
import { ApiError, isApiError } from "../../api/status.ts";
import { unservedKind } from "../../api/unserved.ts";
import type { Client } from "../../client/client.ts";
import { clientOfDirectory } from "../connection.ts";
import type { DataLayout } from "../data/layout.ts";
import { nearest } from "../../api/nearest.ts";
import type { Announce } from "../supervisor/announce.ts";
import type { ManifestDocument, ManifestFault } from "./read.ts";

/** One thing wrong with a document: where, and what was expected. */
export interface DocumentFault {
  readonly line: number;
  readonly why: string;
}

const nameOf = (object: unknown): string => {
  const { kind, metadata } = (object ?? {}) as { kind?: unknown; metadata?: { name?: unknown } };
  const name = typeof metadata?.name === "string" ? metadata.name : undefined;
  return `${typeof kind === "string" ? kind : "object"}${name === undefined ? "" : ` ${name}`}`;
};

/** The kind a document says it is, or what is wrong with that. */
export function kindOf(document: ManifestDocument): Kind | DocumentFault {
  const { apiVersion, kind } = (document.object ?? {}) as { apiVersion?: unknown; kind?: unknown };
  if (typeof kind !== "string" || typeof apiVersion !== "string") {
    return {
      line: document.line,
      why: `${typeof kind === "string" ? "apiVersion" : "kind"}: there is none; a manifest begins with apiVersion and kind, such as 'apiVersion: v1' and 'kind: Service'`,
    };
  }
  const found = kinds.find((one) => one.kind === kind && apiVersionOf(one) === apiVersion);
  if (found !== undefined) return found;
  const refusal = unservedKind(apiVersion, kind);
  if (refusal !== undefined) return { line: document.lineOf("kind"), why: `kind: ${refusal}` };
  const other = kinds.find((one) => one.kind === kind);
  if (other !== undefined) {
    return {
      line: document.lineOf("apiVersion"),
      why: `apiVersion: ${kind} is in ${apiVersionOf(other)}, not in ${JSON.stringify(apiVersion)}`,
    };
  }
  const near = nearest(
    kind,
    kinds.map((one) => one.kind),
  );
  return {
    line: document.lineOf("kind"),
    why: `kind: ${JSON.stringify(kind)} in ${apiVersion} is not served${near === undefined ? "" : `; did you mean ${near}?`}`,
  };
}

/** What decoding alone can tell: fields that do not exist, and values of another type. */
export function decodingFaults(document: ManifestDocument, kind: Kind): DocumentFault[] {
  const { unknown, faults } = decode(kind, document.object);
  const all = [
    ...unknown.map((path) => ({ line: document.lineOf(path), why: `${path}: unknown field` })),
    ...faults.map(({ path, expected, found }) => ({
      line: document.lineOf(path),
      why: `${path}: expected ${expected}, found ${found}`,
    })),
  ];
  return all.toSorted((one, other) => one.line - other.line);
}

/** What the server said, one fault a cause where it named fields. */
function refusals(document: ManifestDocument, error: ApiError): DocumentFault[] {
  const causes = error.details?.causes ?? [];
  if (causes.length === 0) return [{ line: document.line, why: error.message }];
  return causes.map(({ field, message }) => ({
    line: document.lineOf(field ?? ""),
    why: `${field === undefined ? "" : `${field}: `}${message ?? error.message}`,
  }));
}

/** A namespaced object that names no namespace is one of `default`, as kubectl has it. */
const placed = (kind: Kind, object: KubeObject): KubeObject =>
  kind.namespaced && object.metadata?.namespace === undefined
    ? { ...object, metadata: { ...object.metadata, namespace: "default" } }
    : object;

/** Creates the object, or merges it into the one that is there. */
async function put(client: Client, kind: Kind, object: KubeObject): Promise<"created" | "configured" | "unchanged"> {
  const strict = { fieldManager: "fairlead-up", fieldValidation: "Strict" } as const;
  try {
    await client.create(kind, object, strict);
    return "created";
  } catch (error) {
    if (!isApiError(error, "AlreadyExists", "Invalid") || object.metadata.name === undefined) throw error;
    const at = {
      namespace: object.metadata.namespace,
      name: object.metadata.name,
    };
    const before = await client.get(kind, at).catch((cause: unknown) => {
      // It was refused for itself, not because a namesake is there.
      throw isApiError(cause, "NotFound") ? error : cause;
    });
    const after = await client.patch(kind, at, "strategic", object, strict);
    return after.metadata.resourceVersion === before.metadata.resourceVersion ? "unchanged" : "configured";
  }
}

/** Applies documents in their order; one that is refused does not keep the others back. */
export async function applyManifests(
  layout: DataLayout,
  documents: readonly (ManifestDocument | ManifestFault)[],
  announce: Announce,
): Promise<void> {
  if (documents.length === 0) return;
  const client = await clientOfDirectory(layout, "fairlead-up");
  const refuse = (document: ManifestDocument | ManifestFault, faults: readonly DocumentFault[]): void => {
    for (const { line, why } of faults) {
      announce({
        event: "refused",
        file: document.file,
        line,
        object: "object" in document ? nameOf(document.object) : "document",
        why,
      });
    }
  };
  try {
    for (const document of documents) {
      if ("sentence" in document) {
        refuse(document, [{ line: document.line, why: document.sentence }]);
        continue;
      }
      const kind = kindOf(document);
      const faults = "why" in kind ? [kind] : decodingFaults(document, kind);
      if ("why" in kind || faults.length > 0) {
        refuse(document, faults);
        continue;
      }
      try {
        const how = await put(client, kind, placed(kind, document.object as KubeObject));
        announce({ event: "applied", object: nameOf(document.object), how });
      } catch (error) {
        refuse(
          document,
          error instanceof ApiError
            ? refusals(document, error)
            : [{ line: document.line, why: (error as Error).message }],
        );
      }
    }
  } finally {
    client.close();
  }
}
