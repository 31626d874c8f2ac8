import { choose, entries, inside, message, text, truth, type Write } from "./protobuf.ts";
import type { Schema } from "./schemas.ts";

/*
 * Messages of gnostic's `openapiv2.proto`, as far as our documents use them. A message that refers to itself, or to one below it, is
 * looked up when it is written.
 */

/** A value of any kind: field 2 is its YAML, and JSON is YAML. */
const any: Write = inside(2, (value) => text(JSON.stringify(value)));

const schema: Write = message(
  () => ({
    $ref: [1, text],
    format: [2, text],
    description: [4, text],
    required: [19, text],
    enum: [20, any],
    additionalProperties: [21, inside(1, schema)],
    type: [22, inside(1, text)],
    items: [23, inside(1, schema)],
    properties: [25, entries(1, schema)],
  }),
  31,
);

const body: Write = message(() => ({
  description: [1, text],
  name: [2, text],
  in: [3, text],
  required: [4, truth],
  schema: [5, schema],
}));
const inQuery: Write = message(() => ({
  required: [1, truth],
  in: [2, text],
  description: [3, text],
  name: [4, text],
  type: [6, text],
  uniqueItems: [20, truth],
}));
const inPath: Write = message(() => ({
  required: [1, truth],
  in: [2, text],
  description: [3, text],
  name: [4, text],
  type: [5, text],
  uniqueItems: [19, truth],
}));
const parameter: Write = inside(
  1,
  choose((value) => {
    if (value["in"] === "body") return inside(1, body);
    return inside(2, value["in"] === "path" ? inside(4, inPath) : inside(3, inQuery));
  }),
);

const response: Write = message(() => ({ description: [1, text], schema: [2, inside(1, schema)] }));

const operation: Write = message(
  () => ({
    tags: [1, text],
    description: [3, text],
    operationId: [5, text],
    produces: [6, text],
    consumes: [7, text],
    parameters: [8, parameter],
    responses: [9, entries(1, inside(1, response))],
    schemes: [10, text],
  }),
  13,
);

const path: Write = message(() => ({
  get: [2, operation],
  put: [3, operation],
  post: [4, operation],
  delete: [5, operation],
  patch: [8, operation],
  parameters: [9, parameter],
}));

const apiKey: Write = message(() => ({ type: [1, text], name: [2, text], in: [3, text], description: [4, text] }));

const document: Write = message(() => ({
  swagger: [1, text],
  info: [2, message(() => ({ title: [1, text], version: [2, text] }))],
  paths: [8, entries(2, path)],
  definitions: [9, entries(1, schema)],
  security: [12, entries(1, () => new Uint8Array())],
  securityDefinitions: [13, entries(1, inside(2, apiKey))],
}));

/** An OpenAPI 2 document as the message that kubectl before 1.29 reads. */
export const openApiV2Protobuf = (openApi: Schema): Buffer => Buffer.from(document(openApi) as Uint8Array);
