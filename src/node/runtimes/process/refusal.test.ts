import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container, Pod, PodSpec } from "../../../api/generated/types.ts";
import { capabilitiesOf } from "./capabilities.ts";
import { processRefusal, type Allowance } from "./refusal.ts";

const NONE: Allowance = { rootless: false, hostAccess: false };
const ALL: Allowance = { rootless: false, hostAccess: true };

const said = (spec: Partial<PodSpec>, container: Partial<Container>, allowance: Allowance): string =>
  processRefusal(
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "p", namespace: "ns", uid: "u" },
      spec: { containers: [{ name: "c", command: ["x"], ...container }], ...spec },
    } satisfies Pod,
    allowance,
  )?.message ?? "";

const context = (securityContext: Container["securityContext"]): Partial<Container> => ({ securityContext });
const HOST_PATH = { volumes: [{ name: "h", hostPath: { path: "/x" } }] };

const rows: [
  title: string,
  spec: Partial<PodSpec>,
  container: Partial<Container>,
  without: RegExp,
  withFlag: RegExp,
][] = [
  ["the node's network", { hostNetwork: true }, {}, /^spec\.hostNetwork: .*--allow-host-access$/, /^$/],
  ["the host's IPC", { hostIPC: true }, {}, /^spec\.hostIPC: .*--allow-host-access$/, /^$/],
  ["the host's processes", { hostPID: true }, {}, /^spec\.hostPID: /, /^spec\.hostPID: /],
  ["the host's files", HOST_PATH, {}, /^spec\.volumes\[h\]\.hostPath: .*--allow-host-access$/, /^$/],
  ["root", {}, context({ runAsUser: 0 }), /runAsUser: 0 is root.*--allow-host-access$/, /^$/],
  ["root's group", {}, context({ runAsGroup: 0 }), /runAsGroup: 0 .*--allow-host-access$/, /^$/],
  ["every right", {}, context({ privileged: true }), /privileged: .*--allow-host-access$/, /^$/],
  [
    "a capability beyond the usual",
    {},
    context({ capabilities: { add: ["CAP_SYS_ADMIN"] } }),
    /capabilities\.add: SYS_ADMIN .*--allow-host-access$/,
    /^$/,
  ],
  ["all capabilities", {}, context({ capabilities: { add: ["ALL"] } }), /capabilities\.add: ALL /, /^$/],
  ["a usual capability", {}, context({ capabilities: { add: ["NET_BIND_SERVICE"], drop: ["ALL"] } }), /^$/, /^$/],
  ["what is no capability", {}, context({ capabilities: { drop: ["FLY"] } }), /FLY is no/, /FLY is no/],
  [
    "root in spite of a promise",
    { securityContext: { runAsNonRoot: true, runAsUser: 0 } },
    {},
    /^container's runAsUser breaks non-root policy \(pod: "p_ns\(u\)", container: c\)$/,
    /^container's runAsUser breaks non-root policy/,
  ],
  ["a promise kept", { securityContext: { runAsNonRoot: true } }, {}, /^$/, /^$/],
  ["a port of the node", {}, { ports: [{ containerPort: 80, hostPort: 80 }] }, /hostPort 80: /, /hostPort 80: /],
  [
    "a port on the node's own network",
    { hostNetwork: true },
    { ports: [{ containerPort: 80, hostPort: 80 }] },
    /^spec\.hostNetwork: /,
    /^$/,
  ],
  [
    "an image without a command",
    {},
    { command: [], image: "nginx:1" },
    /the image nginx:1 is not fetched; give a command, or start Fairlead with --runtime simulated/,
    /--runtime simulated/,
  ],
  ["a read-only root", {}, context({ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false }), /^$/, /^$/],
  ["a filter of its own", {}, context({ seccompProfile: { type: "Localhost" } }), /seccompProfile/, /seccompProfile/],
  ["the usual filter", {}, context({ seccompProfile: { type: "RuntimeDefault" } }), /^$/, /^$/],
  [
    "a safe setting",
    { securityContext: { sysctls: [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }] } },
    {},
    /^$/,
    /^$/,
  ],
  [
    "the same in the other spelling",
    { securityContext: { sysctls: [{ name: "net/ipv4/tcp_rmem", value: "1" }] } },
    {},
    /^$/,
    /^$/,
  ],
  [
    "a setting that others feel",
    { securityContext: { sysctls: [{ name: "net.core.somaxconn", value: "1" }] } },
    {},
    /^forbidden sysctl: "net\.core\.somaxconn" not allowlisted$/,
    /not allowlisted$/,
  ],
  ["a shared view of processes", { shareProcessNamespace: true }, {}, /shareProcessNamespace/, /shareProcessNamespace/],
];
for (const [title, spec, container, without, withFlag] of rows) {
  test(`${title}: without and with --allow-host-access`, () => {
    assert.match(said(spec, container, NONE), without);
    assert.match(said(spec, container, ALL), withFlag);
  });
}

test("without root there is nothing to give, whatever is allowed", () => {
  const rootless = { rootless: true, hostAccess: true };
  assert.match(said({}, context({ privileged: true }), rootless), /without root there are no rights/);
  assert.match(said({}, context({ runAsUser: 0 }), rootless), /without root only the one user/);
  assert.equal(said({ hostNetwork: true }, {}, rootless), "");
});

test("capabilities are root's alone: the usual ones, with what is added and without what is dropped", () => {
  const held = (1n << 41n) - 1n;
  const of = (capabilities: object, user = 0): string[] =>
    capabilitiesOf({ name: "c", ...context({ capabilities }) }, user, held);
  assert.deepEqual(of({ add: ["NET_ADMIN"] }, 1000), []);
  assert.equal(of({}).length, 14);
  assert.ok(of({ add: ["CAP_NET_ADMIN"] }).includes("NET_ADMIN"));
  assert.deepEqual(of({ drop: ["ALL"], add: ["CHOWN"] }), ["CHOWN"]);
  assert.ok(!of({ add: ["ALL"], drop: ["SYS_ADMIN"] }).includes("SYS_ADMIN"));
  assert.equal(of({ add: ["ALL"] }).length, 41);
  // What we do not have ourselves cannot be given.
  assert.deepEqual(capabilitiesOf({ name: "c" }, 0, 1n), ["CHOWN"]);
});
