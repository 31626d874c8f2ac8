import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { assertCauses, Services } from "./services.ts";
import { startSubject, type Subject } from "./subject.ts";

let subject: Subject;
let services: Services;
before(async () => {
  subject = await startSubject();
  services = new Services(subject);
});
after(() => subject.close());

const RANGE = "must be between 1 and 65535, inclusive";
const ONLY = "Forbidden: may only be used when `type` is 'LoadBalancer'";
const PART =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges";
const MODE = "service.kubernetes.io/topology-mode";
const HINTS = "service.kubernetes.io/topology-aware-hints";

void test("all that is wrong with a ClusterIP is told at once, in one order", async () => {
  const said = await services.create(
    {
      ports: [
        { port: 0, protocol: "x", targetPort: "--", appProtocol: "-", nodePort: 30_001 },
        { name: "A", port: 80, nodePort: 30_001 },
        { name: "A", port: 80, protocol: "TCP", targetPort: 70_000 },
      ],
      selector: { "-": "a" },
      sessionAffinity: "x",
      externalIPs: ["x", "0.0.0.0", "127.0.0.1"],
      loadBalancerSourceRanges: ["x"],
      allocateLoadBalancerNodePorts: true,
      loadBalancerClass: "-",
      externalTrafficPolicy: "x",
      healthCheckNodePort: 30_001,
      internalTrafficPolicy: "x",
      trafficDistribution: "x",
    },
    { name: "a.b", labels: { "-": "a" }, annotations: { _: "a", [MODE]: "a", [HINTS]: "b" }, finalizers: ["x"] },
  );
  const invalid = (field: string, value: string | number, why: string): string =>
    `Invalid ${field}: Invalid value: ${JSON.stringify(value)}: ${why}`;
  assertCauses(said, [
    invalid("metadata.name", "a.b", "must not contain dots"),
    invalid("metadata.labels", "-", `name part ${PART}`),
    invalid("metadata.annotations", "_", `name part ${PART}`),
    invalid("metadata.finalizers[0]", "x", "name is neither a standard finalizer name nor is it fully qualified"),
    invalid(`metadata.annotations[${MODE}]`, "a", `must match annotations[${HINTS}] when both are specified`),
    "Required spec.ports[0].name: Required value",
    invalid("spec.ports[0].port", 0, RANGE),
    'NotSupported spec.ports[0].protocol: Unsupported value: "x": supported values: "SCTP", "TCP", "UDP"',
    invalid("spec.ports[0].targetPort", "--", "must contain at least one letter (a-z)"),
    invalid("spec.ports[0].targetPort", "--", "must not contain consecutive hyphens"),
    invalid("spec.ports[0].targetPort", "--", "must not begin or end with a hyphen"),
    invalid("spec.ports[0].appProtocol", "-", `name part ${PART}`),
    invalid("spec.ports[1].name", "A", LABEL),
    invalid("spec.ports[2].name", "A", LABEL),
    'Duplicate spec.ports[2].name: Duplicate value: "A"',
    invalid("spec.ports[2].targetPort", 70_000, RANGE),
    invalid("spec.selector", "-", `name part ${PART}`),
    'NotSupported spec.sessionAffinity: Unsupported value: "x": supported values: "ClientIP", "None"',
    invalid("spec.externalIPs[0]", "x", "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"),
    invalid("spec.externalIPs[1]", "0.0.0.0", "may not be unspecified (0.0.0.0)"),
    invalid("spec.externalIPs[2]", "127.0.0.1", "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
    "Forbidden spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
    "Forbidden spec.ports[1].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
    'Duplicate spec.ports[2]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}',
    `Forbidden spec.LoadBalancerSourceRanges: ${ONLY}`,
    invalid("spec.LoadBalancerSourceRanges[0]", "x", "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"),
    `Forbidden spec.allocateLoadBalancerNodePorts: ${ONLY}`,
    `Forbidden spec.loadBalancerClass: ${ONLY}`,
    'NotSupported spec.externalTrafficPolicy: Unsupported value: "x": supported values: "Cluster", "Local"',
    invalid(
      "spec.healthCheckNodePort",
      30_001,
      "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
    ),
    'NotSupported spec.internalTrafficPolicy: Unsupported value: "x": supported values: "Cluster", "Local"',
    'NotSupported spec.trafficDistribution: Unsupported value: "x": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"',
  ]);
  const { message, causes } = said;
  const sentences = causes.map((cause) => cause.slice(cause.indexOf(" ") + 1));
  assert.equal(message, `Service "a.b" is invalid: [${[...new Set(sentences)].join(", ")}]`);
});

void test("all that is wrong with an alias is told at once, in one order", async () => {
  const said = await services.create(
    {
      type: "ExternalName",
      externalName: "A",
      clusterIP: "x",
      ipFamilies: ["x"],
      ipFamilyPolicy: "x",
      ports: [
        { port: 80, nodePort: -1 },
        { port: 80, nodePort: -1 },
      ],
      externalTrafficPolicy: "Local",
      sessionAffinity: "ClientIP",
      sessionAffinityConfig: { clientIP: { timeoutSeconds: -1 } },
    },
    { annotations: { [RANGES]: "x" } },
  );
  const UNUSED = "Forbidden: may not be set for ExternalName services";
  assert.deepEqual(
    said.causes.map((cause) => cause.split(":")[0]),
    [
      "Forbidden spec.clusterIPs",
      "Forbidden spec.ipFamilies",
      "Forbidden spec.ipFamilyPolicy",
      "Invalid spec.externalName",
      "Required spec.ports[0].name",
      "Required spec.ports[1].name",
      "Invalid spec.sessionAffinityConfig.clientIP.timeoutSeconds",
      "Duplicate spec.ports[1].nodePort",
      "Duplicate spec.ports[1]",
      `Forbidden metadata.annotations[${RANGES}]`,
      `Invalid metadata.annotations[${RANGES}]`,
      "Invalid spec.externalTrafficPolicy",
    ],
  );
  assert.equal(said.causes[0], `Forbidden spec.clusterIPs: ${UNUSED}`);
});

void test("all that is wrong with an update is told at once, in one order", async () => {
  const { metadata } = await services.made({
    type: "LoadBalancer",
    externalTrafficPolicy: "Local",
    loadBalancerClass: "a",
    ports: [{ port: 80 }],
  });
  const said = await services.modify(metadata.name, {
    clusterIP: "10.96.4.1",
    clusterIPs: ["10.96.4.1"],
    loadBalancerClass: "-",
    healthCheckNodePort: -1,
    ports: [],
    selector: { a: "-" },
    sessionAffinity: "x",
    loadBalancerSourceRanges: ["10.0.0.1/8", "10.0.0.0/08", "x"],
    internalTrafficPolicy: "",
  });
  assert.deepEqual(
    said.causes.map((cause) => cause.split(":")[0]),
    [
      "Invalid spec.clusterIPs[0]",
      "Invalid spec.loadBalancerClass",
      "Invalid spec.loadBalancerClass",
      "Forbidden spec.healthCheckNodePort",
      "Required spec.ports",
      "Invalid spec.selector",
      "NotSupported spec.sessionAffinity",
      "Invalid spec.LoadBalancerSourceRanges[0]",
      "Invalid spec.LoadBalancerSourceRanges[1]",
      "Invalid spec.LoadBalancerSourceRanges[2]",
      "Invalid spec.loadBalancerClass",
      "Invalid spec.healthCheckNodePort",
      "NotSupported spec.internalTrafficPolicy",
    ],
  );
});
