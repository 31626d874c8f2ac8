import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSubject, type Answered, type Subject } from "./subject.ts";

let subject: Subject;
before(async () => {
  subject = await startSubject();
});
after(() => subject.close());

const PATH = "/api/v1/namespaces/default/pods";
const create = (name: string, spec: object): Promise<Answered> =>
  subject.ask("POST", PATH, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: { containers: [{ name: "c", image: "nginx" }], ...spec },
  });
const none = (dnsConfig?: object): object => ({ dnsPolicy: "None", ...(dnsConfig === undefined ? {} : { dnsConfig }) });
const config = (more: object): object => ({ dnsConfig: { nameservers: ["1.1.1.1"], ...more } });
const many = Array.from({ length: 33 }, (_, index) => `d${index}.example`);

/** Ten of 204 characters each. */
const long = Array.from({ length: 10 }, () => ["a", "b", "c", "d"].map((sign) => sign.repeat(50)).join(".") + "e");

const REFUSED: [title: string, spec: object, fields: string[]][] = [
  ["DNS-116: a policy that there is not", { dnsPolicy: "Maybe" }, ["FieldValueNotSupported spec.dnsPolicy"]],
  ["DNS-116: None without dnsConfig", none(), ["FieldValueRequired spec.dnsConfig"]],
  ["DNS-116: None without a nameserver", none({ searches: ["a"] }), ["FieldValueRequired spec.dnsConfig.nameservers"]],
  [
    "DNS-116: four nameservers",
    config({ nameservers: ["1.1.1.1", "1.1.1.2", "1.1.1.3", "::1"] }),
    ["FieldValueInvalid spec.dnsConfig.nameservers"],
  ],
  [
    "DNS-116: a nameserver by name",
    config({ nameservers: ["x.y"] }),
    ["FieldValueInvalid spec.dnsConfig.nameservers[0]"],
  ],
  ["DNS-116: 33 search domains", config({ searches: many }), ["FieldValueInvalid spec.dnsConfig.searches"]],
  ["DNS-116: 2049 characters of them", config({ searches: long }), ["FieldValueInvalid spec.dnsConfig.searches"]],
  [
    "DNS-116: an option without a name",
    config({ options: [{ value: "1" }] }),
    ["FieldValueRequired spec.dnsConfig.options[0]"],
  ],
  [
    "DNS-117: a search domain in capitals",
    config({ searches: ["A.b"] }),
    ["FieldValueInvalid spec.dnsConfig.searches[0]"],
  ],
  ["DNS-117: two dots", config({ searches: ["a..b"] }), ["FieldValueInvalid spec.dnsConfig.searches[0]"]],
];
for (const [title, spec, fields] of REFUSED) {
  void test(`${title} is refused`, async () => {
    const { code, body, text } = await create("refused", spec);
    assert.equal(code, 422, text);
    const causes = body.details.causes as { reason: string; field: string }[];
    assert.deepEqual(
      causes.map(({ reason, field }) => `${reason} ${field}`),
      fields,
    );
    assert.match(body.message, /^Pod "refused" is invalid: /);
  });
}

void test("DNS-117: the words about a search domain are upstream's", async () => {
  const { body } = await create("words", config({ searches: ["-a_b"] }));
  assert.equal(
    body.details.causes[0].message,
    `Invalid value: "-a_b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')`,
  );
});

void test("DNS-116, DNS-117: 32 search domains, with underscores, a lone dot and final dots", async () => {
  const searches = [".", "_sip._tcp.a_b.example", "final.example.", ...many.slice(0, 29)];
  const { code, body, text } = await create(
    "taken",
    none({ nameservers: ["1.1.1.1", "::1"], searches, options: [{ name: "ndots", value: "1" }, { name: "edns0" }] }),
  );
  assert.equal(code, 201, text);
  assert.deepEqual(body.spec.dnsConfig.searches, searches);
});

void test("DNS-118: neither policy nor dnsConfig changes once a pod is made", async () => {
  const { body: pod } = await create("settled", config({}));
  for (const change of [{ dnsPolicy: "Default" }, { dnsConfig: { nameservers: ["2.2.2.2"] } }]) {
    const next = { ...pod, spec: { ...pod.spec, ...change } };
    const { code, body } = await subject.ask("PUT", `${PATH}/settled`, next);
    assert.equal(code, 422);
    assert.match(body.message, /^Pod "settled" is invalid: spec: Forbidden: pod updates may not change fields/);
  }
});
