import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertCauses, Services, type Row } from "./services.ts";
import { startSubject, type Subject } from "./subject.ts";

let subject: Subject;
let services: Services;
before(async () => {
  subject = await startSubject();
  services = new Services(subject);
});
after(() => subject.close());

const HTTP = { ports: [{ port: 80 }] };
const ALIAS = { type: "ExternalName", externalName: "a.example" };
const QUALIFIED =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const UNUSED = "Forbidden: may not be set for ExternalName services";
const LONG = `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(61)}`;
const timeout = (timeoutSeconds: number): object => ({
  ...HTTP,
  sessionAffinity: "ClientIP",
  sessionAffinityConfig: { clientIP: { timeoutSeconds } },
});

const rows: Row[] = [
  ["SVC-063", "good labels", { ...HTTP, selector: { "example.com/a": "b", c: "" } }],
  ["SVC-063", "a key", { ...HTTP, selector: { "-": "a" } }, `Invalid spec.selector: Invalid value: "-": ${QUALIFIED}`],
  ["SVC-063", "a value", { ...HTTP, selector: { a: "-" } }, `Invalid spec.selector: Invalid value: "-": ${VALUE}`],
  [
    "SVC-064",
    "what an alias has not",
    { ...ALIAS, clusterIP: "10.96.0.64", ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack" },
    `Forbidden spec.clusterIPs: ${UNUSED}`,
    `Forbidden spec.ipFamilies: ${UNUSED}`,
    `Forbidden spec.ipFamilyPolicy: ${UNUSED}`,
  ],
  ["SVC-064", "a headless alias", { ...ALIAS, clusterIP: "None" }, `Forbidden spec.clusterIPs: ${UNUSED}`],
  ["SVC-065", "no name", { type: "ExternalName" }, "Required spec.externalName: Required value"],
  ["SVC-065", "a dot", { type: "ExternalName", externalName: "." }, "Required spec.externalName: Required value"],
  ["SVC-065", "a trailing dot", { type: "ExternalName", externalName: "a.example." }],
  [
    "SVC-065",
    "two trailing dots",
    { type: "ExternalName", externalName: "a.example.." },
    `Invalid spec.externalName: Invalid value: "a.example.": ${SUBDOMAIN}`,
  ],
  [
    "SVC-065",
    "an underscore",
    { type: "ExternalName", externalName: "a_b.example." },
    `Invalid spec.externalName: Invalid value: "a_b.example": ${SUBDOMAIN}`,
  ],
  ["SVC-065", "an IPv4 address", { type: "ExternalName", externalName: "1.2.3.4" }],
  ["SVC-065", "253 signs", { type: "ExternalName", externalName: LONG }],
  [
    "SVC-065",
    "254 signs",
    { type: "ExternalName", externalName: `${LONG}d` },
    `Invalid spec.externalName: Invalid value: "${LONG}d": must be no more than 253 characters`,
  ],
  [
    "SVC-067",
    "a headless NodePort",
    { ...HTTP, type: "NodePort", clusterIP: "None" },
    "Invalid spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services",
  ],
  [
    "SVC-067",
    "a headless LoadBalancer",
    { ...HTTP, type: "LoadBalancer", clusterIP: "None" },
    "Invalid spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for LoadBalancer services",
  ],
  [
    "SVC-068",
    "an unknown affinity",
    { ...HTTP, sessionAffinity: "Cookie" },
    'NotSupported spec.sessionAffinity: Unsupported value: "Cookie": supported values: "ClientIP", "None"',
  ],
  ...[0, -1, 86_401].map((seconds): Row => [
    "SVC-070",
    `${seconds} seconds`,
    timeout(seconds),
    `Invalid spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: ${seconds}: must be greater than 0 and less than 86400`,
  ]),
  ...[1, 86_400].map((seconds): Row => ["SVC-070", `${seconds} seconds`, timeout(seconds)]),
];
for (const [statement, about, spec, ...causes] of rows) {
  void test(`${statement}: ${about}: ${causes.length === 0 ? "allowed" : "refused"}`, async () => {
    assertCauses(await services.create(spec), causes);
  });
}

void test("SVC-062: an unknown type is refused", async () => {
  assertCauses(await services.create({ ...HTTP, type: "clusterip" }), [
    'NotSupported spec.type: Unsupported value: "clusterip": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
  ]);
});

void test("SVC-066: externalName on another type is kept, with a warning", async () => {
  const said = await services.create({ ...HTTP, externalName: "Not_a name" });
  assertCauses(said, []);
  assert.equal(said.spec.externalName, "Not_a name");
  assert.deepEqual(said.warnings, ['spec.externalName is ignored when spec.type is not "ExternalName"']);
});
