import { ApiError } from "../../api/status.ts";

/** How an answer is to be shown: as it is, or transformed as `as=` asks. */
export interface Shape {
  /** `""` is the plain object. */
  readonly as: string;
  readonly version: string;
}

interface Clause {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const MAXIMUM_CLAUSES = 32;

const parse = (accept: string): Clause[] =>
  accept
    .split(",", MAXIMUM_CLAUSES)
    .map((clause) => {
      const [type = "", ...parameters] = clause.split(";").map((word) => word.trim());
      return {
        type: type.toLowerCase(),
        parameters: new Map(
          parameters.map((parameter): [string, string] => {
            const [name = "", value = ""] = parameter.split("=", 2);
            return [name.trim().toLowerCase(), value.trim()];
          }),
        ),
      };
    })
    .filter((clause) => clause.type !== "");

const PLAIN: Shape = { as: "", version: "" };

const isJson = (type: string): boolean => type === "application/json" || type === "application/*" || type === "*/*";

/**
 * The first clause of an Accept header that can be had. `transforms` says which `as=` words this answer offers, each with its
 * group and versions. A client that asks for protobuf first and JSON second gets JSON.
 *
 * @throws ApiError NotAcceptable when no clause can be had.
 */
export function negotiate(
  accept: string | undefined,
  transforms: Readonly<Record<string, { readonly group: string; readonly versions: readonly string[] }>> = {},
): Shape {
  if (accept === undefined || accept.trim() === "") return PLAIN;
  for (const { type, parameters } of parse(accept)) {
    if (!isJson(type)) continue;
    const as = parameters.get("as") ?? "";
    if (as === "") return PLAIN;
    const transform = Object.hasOwn(transforms, as) ? transforms[as] : undefined;
    const version = parameters.get("v") ?? "";
    if (transform?.group === parameters.get("g") && transform?.versions.includes(version)) return { as, version };
  }
  throw new ApiError("NotAcceptable", "only the following media types are accepted: application/json");
}

/** The transforms every object and list offers. */
export const OBJECT_TRANSFORMS = {
  Table: { group: "meta.k8s.io", versions: ["v1", "v1beta1"] },
  PartialObjectMetadata: { group: "meta.k8s.io", versions: ["v1", "v1beta1"] },
  PartialObjectMetadataList: { group: "meta.k8s.io", versions: ["v1", "v1beta1"] },
} as const;
