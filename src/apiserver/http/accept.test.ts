import assert from "node:assert/strict";
import { test } from "node:test";
import { isApiError } from "../../api/status.ts";
import { negotiate, OBJECT_TRANSFORMS } from "./accept.ts";

const shape = (accept: string | undefined) =>
  negotiate(
    { request: { headers: accept === undefined ? {} : { accept } }, query: new URLSearchParams() },
    OBJECT_TRANSFORMS,
  );

void test("the clauses of kubectl, of client-go and of browsers are understood", () => {
  for (const [accept, as, version, format] of [
    [undefined, "", "", "json"],
    ["application/vnd.kubernetes.protobuf,application/json", "", "", "json"],
    [
      "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
      "Table",
      "v1",
      "json",
    ],
    [
      "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json",
      "",
      "",
      "json",
    ],
    [
      "application/json;as=Table;v=v9;g=meta.k8s.io,application/yaml;as=Table;v=v1beta1;g=meta.k8s.io",
      "Table",
      "v1beta1",
      "yaml",
    ],
    ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "", "", "json"],
    ["application/json;q=0,application/yaml", "", "", "yaml"],
  ] as const) {
    const { pretty: _, ...found } = shape(accept);
    assert.deepEqual(found, { as, version, format }, String(accept));
  }
});

void test("without end or without sense it is refused or cut off, never followed", () => {
  const isRefused = (error: unknown): boolean => isApiError(error, "NotAcceptable");
  assert.throws(() => shape("text/plain,".repeat(1000) + "application/json"), isRefused);
  assert.throws(() => shape(";;;=,=;"), isRefused);
  assert.throws(() => shape("application/json;as=__proto__;g=meta.k8s.io;v=v1"), isRefused);
});
