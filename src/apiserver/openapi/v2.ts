import { KINDS, type Schema } from "./schemas.ts";

/** What OpenAPI 2 cannot say: a value of two types. Clients know this one by its format. */
const SIMPLE: Readonly<Record<string, Schema>> = {
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString": { type: "string", format: "int-or-string" },
  "io.k8s.apimachinery.pkg.api.resource.Quantity": { type: "string" },
};

const isObject = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A schema of OpenAPI 3 as one of OpenAPI 2: references stand beside what else is said, and defaults are left out, as upstream does. */
function schemaOf(schema: Schema): Schema {
  const { allOf, default: _, $ref, properties, items, additionalProperties, ...rest } = schema;
  const [inner] = Array.isArray(allOf) ? (allOf as Schema[]) : [];
  const reference = (inner?.["$ref"] ?? $ref) as string | undefined;
  return {
    ...rest,
    ...(reference === undefined ? {} : { $ref: reference.replace("#/components/schemas/", "#/definitions/") }),
    ...(isObject(properties) ? { properties: mapValues(properties, schemaOf) } : {}),
    ...(isObject(items) ? { items: schemaOf(items) } : {}),
    ...(isObject(additionalProperties) ? { additionalProperties: schemaOf(additionalProperties) } : {}),
  };
}

const mapValues = (object: Schema, to: (value: Schema, key: string) => Schema): Schema =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, to(value as Schema, key)]));

const parameterOf = ({ schema, ...rest }: Schema): Schema => ({ ...(schema as Schema), ...rest });

/** The schema of a body or an answer, whatever its media types: they all have the same. */
const contentSchema = (holder: Schema): Schema | undefined =>
  (Object.values((holder["content"] ?? {}) as Record<string, { schema: Schema }>)[0] ?? {}).schema;

function responseOf(response: Schema): Schema {
  const schema = contentSchema(response);
  return {
    description: response["description"],
    ...(schema === undefined ? {} : { schema: schemaOf(schema) }),
  };
}

function operationOf({ requestBody, responses, parameters, ...rest }: Schema): Schema {
  const body = requestBody as Schema | undefined;
  const answered = Object.values(responses as Schema).find((one) => isObject(one) && "content" in one) as Schema;
  const asked = [
    ...(body === undefined
      ? []
      : [
          {
            name: "body",
            in: "body",
            ...(body["required"] === true ? { required: true } : {}),
            schema: schemaOf(contentSchema(body)!),
          },
        ]),
    ...((parameters ?? []) as Schema[]).map(parameterOf),
  ];
  return {
    consumes: body === undefined ? ["*/*"] : Object.keys(body["content"] as Schema),
    produces: Object.keys(answered["content"] as Schema),
    schemes: ["https"],
    ...rest,
    ...(asked.length === 0 ? {} : { parameters: asked }),
    responses: mapValues(responses as Schema, responseOf),
  };
}

const pathOf = ({ parameters, ...operations }: Schema): Schema => ({
  ...mapValues(operations, operationOf),
  parameters: (parameters as Schema[]).map(parameterOf),
});

/** The kinds of a type that several documents have: those of all of them. */
function sameKinds(known: Schema, definition: Schema): Schema {
  if (!(KINDS in known)) return {};
  const kinds = [...(known[KINDS] as object[]), ...((definition[KINDS] ?? []) as object[])];
  return { [KINDS]: [...new Map(kinds.map((kind) => [JSON.stringify(kind), kind])).values()] };
}

/** OpenAPI 3 documents as a single one of OpenAPI 2, in which clients before 1.27 look up everything. */
export function openApiV2(documents: readonly Schema[], info: Schema): Schema {
  const definitions: Schema = {};
  const paths: Schema = {};
  for (const document of documents) {
    Object.assign(paths, mapValues(document["paths"] as Schema, pathOf));
    const { schemas } = document["components"] as { schemas: Record<string, Schema> };
    for (const [name, schema] of Object.entries(schemas)) {
      const { description } = schema;
      const known = definitions[name] as Schema | undefined;
      const definition = Object.hasOwn(SIMPLE, name) ? { description, ...SIMPLE[name] } : schemaOf(schema);
      definitions[name] = known === undefined ? definition : { ...definition, ...sameKinds(known, definition) };
    }
  }
  return {
    swagger: "2.0",
    info,
    paths,
    definitions,
    securityDefinitions: { BearerToken: { type: "apiKey", name: "authorization", in: "header" } },
    security: [{ BearerToken: [] }],
  };
}
