import assert from "node:assert/strict";
import { test } from "node:test";
import { unservedKind } from "../../api/unserved.ts";
import { decodingFaults, kindOf } from "./apply.ts";
import { parseManifests, segmentsOf, type ManifestDocument } from "./read.ts";

const documents = (text: string): ManifestDocument[] =>
  parseManifests("m.yaml", text).map((document) => {
    if ("sentence" in document) throw new Error(document.sentence);
    return document;
  });
const only = (text: string): ManifestDocument => {
  const [document, ...others] = documents(text);
  assert.ok(document !== undefined && others.length === 0);
  return document;
};
const fault = (text: string): string =>
  parseManifests("m.yaml", text)
    .flatMap((document) => ("sentence" in document ? [`${document.line}: ${document.sentence}`] : []))
    .join("\n");

test("a field's path in segments", () => {
  assert.deepEqual(segmentsOf("spec.ports[0].name"), ["spec", "ports", 0, "name"]);
  assert.deepEqual(segmentsOf("metadata.labels[a.b/c]"), ["metadata", "labels", "a.b/c"]);
});

test("the line of a field, or of its nearest parent", () => {
  const document = only(
    "\n# said first\nkind: Service\nspec:\n  ports:\n    - port: 1\n    - port: 2\n      name: b\n",
  );
  assert.equal(document.line, 3);
  assert.equal(document.lineOf("spec.ports[1].name"), 8);
  assert.equal(document.lineOf("spec.ports[1].targetPort"), 7);
  assert.equal(document.lineOf("spec.selector"), 4);
  assert.equal(document.lineOf("nothing"), 3);
});

test("several documents, empty ones left out, and Lists taken apart with their own lines", () => {
  const read = documents(
    '---\na: 1\n---\n# nothing\n---\nkind: List\nitems:\n- b: 1\n- c: 1\n  d: 2\n...\n---\n{"e": 1}\n',
  );
  assert.deepEqual(
    read.map(({ object, line }) => ({ object, line })),
    [
      { object: { a: 1 }, line: 2 },
      { object: { b: 1 }, line: 8 },
      { object: { c: 1, d: 2 }, line: 9 },
      { object: { e: 1 }, line: 13 },
    ],
  );
  assert.equal(read[2]?.lineOf("d"), 10);
  assert.deepEqual(parseManifests("m.yaml", ""), []);
});

test("YAML 1.1 as Kubernetes reads it: yes is true, a date, a time and bytes stay text", () => {
  const { object } = only("a: yes\nb: off\nc: 2001-01-01\nd: 12:30\ne: !!binary aGk=\nf: 0644\ng: '8080'\nh: 1_000\n");
  assert.deepEqual(object, { a: true, b: false, c: "2001-01-01", d: "12:30", e: "aGk=", f: 420, g: "8080", h: 1000 });
});

test("JSON indented with tabs is read", () => {
  assert.deepEqual(only('{\n\t"a": [\n\t\t"yes",\n\t\t1e3\n\t]\n}\n').object, { a: ["yes", 1000] });
});

test("what cannot be read is one sentence with its line, and the documents beside it are read", () => {
  assert.match(fault("a: 1\n---\nb: [\n---\nc: 1\n"), /^[34]: this cannot be read as YAML: /);
  assert.equal(parseManifests("m.yaml", "a: 1\n---\nb: [\n---\nc: 1\n").filter((one) => "object" in one).length, 2);
  assert.match(fault("a: 1\na: 2\n"), /^2: .*unique/);
  const bomb = `a: &a [x,x]\n${"bcdefghijk"
    .split("")
    .map((name, at) => `${name}: &${name} [${`*${"abcdefghij"[at]},`.repeat(9)}]`)
    .join("\n")}`;
  assert.match(fault(bomb), /^1: this YAML is refused: .*alias/i);
  assert.match(fault("[".repeat(50_000)), /^1: .*(nested too deeply|cannot be read)/);
});

test("a document's kind, or what is wrong with it", () => {
  const why = (text: string) => {
    const kind = kindOf(only(text));
    return "why" in kind ? `${kind.line}: ${kind.why}` : kind.plural;
  };
  assert.equal(why("apiVersion: v1\nkind: Service\n"), "services");
  assert.match(why("kind: Service\n"), /^1: apiVersion: there is none/);
  assert.match(why("apiVersion: v1\n"), /^1: kind: there is none/);
  assert.match(why("some words\n"), /^1: kind: there is none/);
  assert.match(why("apiVersion: v1\nkind: service\n"), /^2: .*did you mean Service\?/);
  assert.match(why("kind: EndpointSlice\napiVersion: v1\n"), /^2: .*discovery\.k8s\.io\/v1, not in "v1"/);
  const policy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n";
  assert.equal(why(policy), `2: kind: ${unservedKind("networking.k8s.io/v1", "NetworkPolicy")}`);
  assert.match(why("apiVersion: example.com/v1\nkind: Service\n"), /^2: kind: Service of example\.com is not served/);
});

test("fields that do not exist and values of another type, in the order of the file", () => {
  const document = only(
    "apiVersion: v1\nkind: Service\nspec:\n  ports:\n  - port: x\n    prot: TCP\n  selectors: {}\n  externalIPs: 7\n",
  );
  const kind = kindOf(document);
  assert.ok(!("why" in kind));
  assert.deepEqual(
    decodingFaults(document, kind).map(({ line, why }) => `${line} ${why.split(":")[0]!}`),
    ["5 spec.ports[0].port", "6 spec.ports[0].prot", "7 spec.selectors", "8 spec.externalIPs"],
  );
});

test("keys that every object has are data like any other", () => {
  const { object } = only("apiVersion: v1\nkind: ConfigMap\ndata: {__proto__: x, constructor: y}\n");
  assert.deepEqual(Object.keys((object as { data: object }).data), ["__proto__", "constructor"]);
  assert.equal(({} as { x?: unknown }).x, undefined);
});
