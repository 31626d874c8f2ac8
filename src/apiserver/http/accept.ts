import { ApiError } from "../../api/status.ts";
import type { Request } from "./exchange.ts";

export type Format = "json" | "yaml";

/** How an answer is to be shown: as it is, or transformed as `as=` asks; and how it is written. */
export interface Shape {
  /** `""` is the plain object. */
  readonly as: string;
  readonly version: string;
  readonly format: Format;
  /** Laid out for people. */
  readonly pretty: boolean;
}

interface Clause {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

const MAXIMUM_CLAUSES = 32;

const FORMATS: Readonly<Record<string, Format>> = {
  "application/json": "json",
  "application/yaml": "yaml",
  "application/*": "json",
  "*/*": "json",
};

function clauseOf(text: string): Clause {
  const [type = "", ...rest] = text.split(";").map((word) => word.trim());
  const parameters = new Map(
    rest.map((parameter): [string, string] => {
      const [name = "", value = ""] = parameter.split("=", 2);
      return [name.trim().toLowerCase(), value.trim()];
    }),
  );
  const quality = Number(parameters.get("q") ?? 1);
  return { type, parameters, quality: Number.isNaN(quality) ? 1 : quality };
}

/** Clauses of an Accept header, best first; among equals the one that stands first. */
const clausesOf = (accept: string): Clause[] =>
  accept
    .split(",", MAXIMUM_CLAUSES)
    .map(clauseOf)
    .filter(({ type, quality }) => type !== "" && quality > 0)
    .sort((a, b) => b.quality - a.quality);

/** Whether an answer is laid out for people: as the query says, else when people seem to ask (upstream's list of programs). */
function wantsPretty(query: URLSearchParams, userAgent: string | undefined): boolean {
  const asked = query.get("pretty");
  if (asked !== null && asked !== "") return ["1", "t", "true"].includes(asked.toLowerCase());
  return /^(curl|Wget|Mozilla\/5\.0)/.test(userAgent ?? "");
}

export type Transforms = Readonly<Record<string, { readonly group: string; readonly versions: readonly string[] }>>;

/** What a server says that cannot answer in any of the types asked for. */
const notAcceptable = (available: readonly string[]): ApiError =>
  new ApiError("NotAcceptable", `only the following media types are accepted: ${available.join(", ")}`);

const EVERY_FORMAT = ["application/json", "application/yaml"];

/** What there is to be negotiated about in a request. */
export interface Asking {
  readonly request: Pick<Request, "headers">;
  readonly query: URLSearchParams;
}

/**
 * The best clause of an Accept header that can be had. `transforms` says which `as=` words this answer offers, each with its
 * group and versions. A client that asks for protobuf first and JSON second gets JSON.
 *
 * @throws ApiError NotAcceptable when no clause can be had.
 */
export function negotiate(
  { request, query }: Asking,
  transforms: Transforms = {},
  available: readonly string[] = EVERY_FORMAT,
): Shape {
  const accept = request.headers.accept;
  const pretty = wantsPretty(query, request.headers["user-agent"]);
  const plain: Shape = { as: "", version: "", format: "json", pretty };
  // What nearly every client of the server's own says.
  if (accept === undefined || accept === "application/json" || accept.trim() === "") return plain;
  for (const { type, parameters } of clausesOf(accept)) {
    const format = Object.hasOwn(FORMATS, type) ? FORMATS[type]! : undefined;
    if (format === undefined || !available.includes(`application/${format}`)) continue;
    const asked = parameters.get("pretty");
    const found = { ...plain, format, pretty: asked === undefined ? pretty : asked === "1" };
    const as = parameters.get("as") ?? "";
    if (as === "") return found;
    const transform = Object.hasOwn(transforms, as) ? transforms[as] : undefined;
    const version = parameters.get("v") ?? "";
    if (transform?.group === parameters.get("g") && transform?.versions.includes(version)) {
      return { ...found, as, version };
    }
  }
  throw notAcceptable(available);
}

/** How a failure is written: as asked, or laid out as JSON for whoever asked for what cannot be had. */
export function negotiateFailure(asking: Asking): Shape {
  try {
    return negotiate(asking);
  } catch {
    return { as: "", version: "", format: "json", pretty: true };
  }
}

/** The transforms every object and list offers. */
export const OBJECT_TRANSFORMS = {
  Table: { group: "meta.k8s.io", versions: ["v1", "v1beta1"] },
  PartialObjectMetadata: { group: "meta.k8s.io", versions: ["v1", "v1beta1"] },
  PartialObjectMetadataList: { group: "meta.k8s.io", versions: ["v1", "v1beta1"] },
} as const;
