import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertCauses, PATH, Services } from "./services.ts";
import { startSubject, type Subject } from "./subject.ts";

let subject: Subject;
let services: Services;
before(async () => {
  subject = await startSubject();
  services = new Services(subject);
});
after(() => subject.close());

const HTTP = { ports: [{ port: 80 }] };
const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

const names: [name: string, ...why: string[]][] = [
  ["1-digit-first"],
  ["a"],
  ["a".repeat(63)],
  ["a".repeat(64), "must be no more than 63 characters"],
  ["Upper", LABEL],
  ["under_score", LABEL],
  ["dotted.name", "must not contain dots"],
  ["-a", LABEL],
  ["a-", LABEL],
];
for (const [name, ...why] of names) {
  void test(`SVC-045: a Service may${why.length > 0 ? " not" : ""} be called ${name}`, async () => {
    const causes = why.map((reason) => `Invalid metadata.name: Invalid value: "${name}": ${reason}`);
    assertCauses(await services.create(HTTP, { name }), causes);
  });
}

void test("SVC-046: without any name there is none, and a generated one is 58 signs of the base and 5 of its own", async () => {
  const nameless = { type: "ExternalName", externalName: "a.example" };
  assertCauses(await services.create(nameless, { name: "" }), [
    "Required metadata.name: Required value: name or generateName is required",
  ]);
  const generated = async (generateName: string): Promise<string> =>
    (await services.made(HTTP, { name: "", generateName })).metadata.name;
  assert.match(await generated("web-"), /^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  assert.match(await generated("b".repeat(60)), /^b{58}[bcdfghjklmnpqrstvwxz2456789]{5}$/);
});

const QUALIFIED =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

void test("SVC-047: labels and annotations follow the common rules", async () => {
  const good = {
    labels: { "example.com/a": "b", c: "", d: "e".repeat(63) },
    annotations: { "example.com/A": "anything at all" },
  };
  assertCauses(await services.create(HTTP, good), []);
  assertCauses(await services.create(HTTP, { labels: { "-": "a" } }), [
    `Invalid metadata.labels: Invalid value: "-": ${QUALIFIED}`,
  ]);
  assertCauses(await services.create(HTTP, { labels: { a: "-" } }), [
    `Invalid metadata.labels: Invalid value: "-": ${VALUE}`,
  ]);
  const long = "a".repeat(64);
  assertCauses(await services.create(HTTP, { labels: { a: long } }), [
    `Invalid metadata.labels: Invalid value: "${long}": must be no more than 63 bytes`,
  ]);
  assertCauses(await services.create(HTTP, { annotations: { "-": "a" } }), [
    `Invalid metadata.annotations: Invalid value: "-": ${QUALIFIED}`,
  ]);
  // 256 KiB of keys and values together.
  assertCauses(await services.create(HTTP, { annotations: { a: "x".repeat(262_143) } }), []);
  assertCauses(await services.create(HTTP, { annotations: { a: "x".repeat(262_144) } }), [
    "TooLong metadata.annotations: Too long: may not be more than 262144 bytes",
  ]);
});

void test("SVC-048: two spellings of the wish for topology may not differ", async () => {
  const mode = "service.kubernetes.io/topology-mode";
  const hints = "service.kubernetes.io/topology-aware-hints";
  const annotated = (annotations: object) => services.create(HTTP, { annotations });
  assertCauses(await annotated({ [mode]: "Auto", [hints]: "Auto" }), []);
  assertCauses(await annotated({ [mode]: "Auto" }), []);
  assertCauses(await annotated({ [hints]: "Auto" }), []);
  assertCauses(await annotated({ [mode]: "Auto", [hints]: "Disabled" }), [
    `Invalid metadata.annotations[${mode}]: Invalid value: "Auto": must match annotations[${hints}] when both are specified`,
  ]);
});

void test("faults of metadata are told once on create and three times on update, and in the message once", async () => {
  const metadata = { labels: { "-": "a" }, finalizers: ["unqualified"] };
  const label = `Invalid metadata.labels: Invalid value: "-": ${QUALIFIED}`;
  const finalizer =
    'Invalid metadata.finalizers[0]: Invalid value: "unqualified": name is neither a standard finalizer name nor is it fully qualified';
  assertCauses(await services.create(HTTP, metadata), [label, finalizer]);
  const { metadata: made } = await services.made(HTTP);
  const said = await services.replace(made.name, HTTP, metadata);
  assertCauses(said, [label, label, label, finalizer]);
  assert.equal(said.message.split("metadata.labels").length, 2, said.message);
});

void test("owner references name their owner, and one of them is the controller", async () => {
  const owner = { apiVersion: "v1", kind: "Node", name: "a", uid: "1", controller: true };
  const ownerReferences = [{ apiVersion: "", kind: "", name: "", uid: "" }, owner, { ...owner, name: "b" }];
  const { causes } = await services.create(HTTP, { ownerReferences });
  const field = "metadata.ownerReferences";
  assert.deepEqual(causes.slice(0, 4), [
    `Invalid ${field}.apiVersion: Invalid value: "": version must not be empty`,
    `Invalid ${field}.kind: Invalid value: "": must not be empty`,
    `Invalid ${field}.name: Invalid value: "": must not be empty`,
    `Invalid ${field}.uid: Invalid value: "": must not be empty`,
  ]);
  assert.match(
    causes[4]!,
    /Only one reference can have Controller set to true\. Found "true" in references for Node\/a and Node\/b$/,
  );
});

void test("SVC-045: a name is judged on create alone, so that it is never in the way of a change", async () => {
  const { metadata } = await services.made(HTTP, { name: "2fast" });
  assertCauses(await services.modify(metadata.name, { selector: { app: "a" } }), []);
  const { code } = await subject.ask("GET", `${PATH}/2fast`);
  assert.equal(code, 200);
});

void test("SVC-001: a Service's name may start with a digit, also where an Ingress says it", async () => {
  assertCauses(await services.create(HTTP, { name: "1st" }), []);
  const backend = { service: { name: "1st", port: { number: 80 } } };
  const { code, text } = await subject.ask("POST", "/apis/networking.k8s.io/v1/namespaces/default/ingresses", {
    metadata: { name: "digit" },
    spec: { defaultBackend: backend },
  });
  assert.equal(code, 201, text);
});
