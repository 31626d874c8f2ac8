/**
 * kubectl 1.27 and 1.28 refuse to apply anything without an OpenAPI 2 document, although they then read fields from the OpenAPI 3
 * ones and patch keys from types of their own. This one is valid and describes nothing.
 */
const TITLE = "Kubernetes";
const VERSION = "v1.36.2";

export const OPENAPI_V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

export const openApiV2Json = JSON.stringify({ swagger: "2.0", info: { title: TITLE, version: VERSION }, paths: {} });

/** A length-delimited protobuf field (wire type 2); short contents only. */
const field = (number: number, content: Buffer | string): Buffer => {
  const bytes = Buffer.from(content as string);
  if (bytes.length > 127)
    throw new RangeError(`encoding protobuf field ${number}: ${bytes.length} bytes, at most 127 fit`);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
};

/** The same as a `Document` of gnostic's `openapiv2.proto`: swagger is 1, info 2 (title 1, version 2), paths 8. */
export const openApiV2Protobuf = Buffer.concat([
  field(1, "2.0"),
  field(2, Buffer.concat([field(1, TITLE), field(2, VERSION)])),
  field(8, ""),
]);
