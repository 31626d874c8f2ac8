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

const RANGE = "must be between 1 and 65535, inclusive";
const ports = (...list: object[]): object => ({ ports: list });
const shown = (protocol: string, port: number): string =>
  `{"Name":"","Protocol":"${protocol}","AppProtocol":null,"Port":${port},"TargetPort":0,"NodePort":0}`;
const QUALIFIED =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const target = (value: string, ...why: string[]): string[] =>
  why.map((reason) => `Invalid spec.ports[0].targetPort: Invalid value: "${value}": ${reason}`);
const CHARSET = "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)";
const LETTER = "must contain at least one letter (a-z)";
const ENDS = "must not begin or end with a hyphen";
const LONG = "a".repeat(63);

const rows: Row[] = [
  ["SVC-049", "no ports", {}, "Required spec.ports: Required value"],
  ["SVC-049", "an empty list", ports(), "Required spec.ports: Required value"],
  ["SVC-049", "no ports on a NodePort", { type: "NodePort" }, "Required spec.ports: Required value"],
  ["SVC-049", "no ports, headless", { clusterIP: "None" }],
  ["SVC-049", "no ports, alias", { type: "ExternalName", externalName: "a.example" }],
  ["SVC-050", "one nameless port", ports({ port: 80 })],
  [
    "SVC-050",
    "nameless among several",
    ports({ port: 80 }, { name: "b", port: 81 }, { port: 82 }),
    "Required spec.ports[0].name: Required value",
    "Required spec.ports[2].name: Required value",
  ],
  ["SVC-051", "a name of 63 signs", ports({ name: LONG, port: 80 })],
  [
    "SVC-051",
    "a name of 64 signs",
    ports({ name: `${LONG}a`, port: 80 }),
    `Invalid spec.ports[0].name: Invalid value: "${LONG}a": must be no more than 63 characters`,
  ],
  [
    "SVC-051",
    "no label",
    ports({ name: "A_b", port: 80 }),
    `Invalid spec.ports[0].name: Invalid value: "A_b": ${LABEL}`,
  ],
  [
    "SVC-051",
    "a dotted name",
    ports({ name: "a.b", port: 80 }),
    'Invalid spec.ports[0].name: Invalid value: "a.b": must not contain dots',
  ],
  [
    "SVC-052",
    "a name for the second and third time",
    ports({ name: "a", port: 80 }, { name: "a", port: 81 }, { name: "a", port: 82 }),
    'Duplicate spec.ports[1].name: Duplicate value: "a"',
    'Duplicate spec.ports[2].name: Duplicate value: "a"',
  ],
  ...[-1, 65_536].map((port): Row => [
    "SVC-053",
    `port ${port}`,
    ports({ port, targetPort: 80 }),
    `Invalid spec.ports[0].port: Invalid value: ${port}: ${RANGE}`,
  ]),
  [
    "SVC-053",
    "port 0, and so a targetPort of 0",
    ports({ port: 0 }),
    `Invalid spec.ports[0].port: Invalid value: 0: ${RANGE}`,
    `Invalid spec.ports[0].targetPort: Invalid value: 0: ${RANGE}`,
  ],
  ["SVC-053", "the first and the last port", ports({ name: "a", port: 1 }, { name: "b", port: 65_535 })],
  ...["tcp", "HTTP", " TCP"].map((protocol): Row => [
    "SVC-054",
    `protocol "${protocol}"`,
    ports({ port: 80, protocol }),
    `NotSupported spec.ports[0].protocol: Unsupported value: "${protocol}": supported values: "SCTP", "TCP", "UDP"`,
  ]),
  ...[-1, 65_536].map((targetPort): Row => [
    "SVC-055",
    `targetPort ${targetPort}`,
    ports({ port: 80, targetPort }),
    `Invalid spec.ports[0].targetPort: Invalid value: ${targetPort}: ${RANGE}`,
  ]),
  ["SVC-056", "a name of 15 signs", ports({ port: 80, targetPort: "a23456789012345" })],
  [
    "SVC-056",
    "16 signs",
    ports({ port: 80, targetPort: "a234567890123456" }),
    ...target("a234567890123456", "must be no more than 15 characters"),
  ],
  ["SVC-056", "upper case and underscore", ports({ port: 80, targetPort: "a_B" }), ...target("a_B", CHARSET)],
  ["SVC-056", "no letter", ports({ port: 80, targetPort: "8080" }), ...target("8080", LETTER)],
  ["SVC-056", "a leading hyphen", ports({ port: 80, targetPort: "-a" }), ...target("-a", ENDS)],
  ["SVC-056", "a trailing hyphen", ports({ port: 80, targetPort: "a-" }), ...target("a-", ENDS)],
  [
    "SVC-056",
    "two hyphens",
    ports({ port: 80, targetPort: "a--b" }),
    ...target("a--b", "must not contain consecutive hyphens"),
  ],
  [
    "SVC-056",
    "every rule broken",
    ports({ port: 80, targetPort: "--1234567890_12" }),
    ...target("--1234567890_12", CHARSET, LETTER, "must not contain consecutive hyphens", ENDS),
  ],
  [
    "SVC-057",
    "a name, and a name with a domain",
    ports({ name: "a", port: 80, appProtocol: "My_name.1" }, { name: "b", port: 81, appProtocol: "kubernetes.io/h2c" }),
  ],
  [
    "SVC-057",
    "an empty name",
    ports({ port: 80, appProtocol: "" }),
    'Invalid spec.ports[0].appProtocol: Invalid value: "": name part must be non-empty',
    `Invalid spec.ports[0].appProtocol: Invalid value: "": ${QUALIFIED}`,
  ],
  [
    "SVC-057",
    "64 signs",
    ports({ port: 80, appProtocol: `${LONG}a` }),
    `Invalid spec.ports[0].appProtocol: Invalid value: "${LONG}a": name part must be no more than 63 bytes`,
  ],
  [
    "SVC-057",
    "an empty domain",
    ports({ port: 80, appProtocol: "/a" }),
    'Invalid spec.ports[0].appProtocol: Invalid value: "/a": prefix part must be non-empty',
  ],
  [
    "SVC-057",
    "two slashes",
    ports({ port: 80, appProtocol: "a/b/c" }),
    `Invalid spec.ports[0].appProtocol: Invalid value: "a/b/c": ${QUALIFIED.replace("name part", "a valid label key")} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
  ],
  [
    "SVC-058",
    "one port twice",
    ports({ name: "a", port: 80 }, { name: "b", port: 80, targetPort: 81 }),
    `Duplicate spec.ports[1]: Duplicate value: ${shown("TCP", 80)}`,
  ],
  ["SVC-058", "one port by two protocols", ports({ name: "a", port: 80 }, { name: "b", port: 80, protocol: "UDP" })],
  [
    "SVC-059",
    "one node port twice, on an alias that allocates none",
    {
      type: "ExternalName",
      externalName: "a.example",
      ...ports({ name: "a", port: 80, nodePort: 30_000 }, { name: "b", port: 81, nodePort: 30_000 }),
    },
    "Duplicate spec.ports[1].nodePort: Duplicate value: 30000",
  ],
  [
    "SVC-059",
    "one node port by two protocols",
    {
      type: "ExternalName",
      externalName: "a.example",
      ...ports({ name: "a", port: 80, nodePort: 30_000 }, { name: "b", port: 81, protocol: "UDP", nodePort: 30_000 }),
    },
  ],
  [
    "SVC-060",
    "a node port on a ClusterIP",
    ports({ port: 80, nodePort: 30_000 }),
    "Forbidden spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
  ],
  [
    "SVC-060",
    "a node port on an alias",
    { type: "ExternalName", externalName: "a.example", ...ports({ port: 80, nodePort: 30_000 }) },
  ],
  [
    "SVC-061",
    "one targetPort for two ports",
    ports({ name: "a", port: 80, targetPort: 8080 }, { name: "b", port: 81, targetPort: 8080 }),
  ],
  ["SVC-061", "a targetPort of its own, headless", { clusterIP: "None", ...ports({ port: 80, targetPort: 8080 }) }],
];
for (const [statement, about, spec, ...causes] of rows) {
  void test(`${statement}: ${about}: ${causes.length === 0 ? "allowed" : "refused"}`, async () => {
    assertCauses(await services.create(spec), causes);
  });
}
