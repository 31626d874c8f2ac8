import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/generated/types.ts";
import { pod, service } from "../../../test/controllers/examples.ts";
import { applied, decide, fresh, isNothing, only } from "../../../test/controllers/slices.ts";

const named: Partial<NonNullable<Pod["spec"]>> = {
  containers: [
    {
      name: "c",
      ports: [
        { name: "web", containerPort: 3000 },
        { name: "dns", containerPort: 53, protocol: "UDP" },
      ],
    },
  ],
  initContainers: [
    { name: "once", ports: [{ name: "init", containerPort: 1 }] },
    { name: "sidecar", restartPolicy: "Always", ports: [{ name: "side", containerPort: 2 }] },
    { name: "second", restartPolicy: "Always", ports: [{ name: "web", containerPort: 4 }] },
  ],
};
for (const [id, targetPort, protocol, expected] of [
  ["CTL-030", 9999, "TCP", 9999],
  ["CTL-030", undefined, "TCP", 80],
  ["CTL-030", "web", "TCP", 3000],
  ["CTL-030", "web", "UDP", undefined],
  ["CTL-030", "dns", "UDP", 53],
  ["CTL-030, PRX-275", "side", "TCP", 2],
  ["CTL-030", "init", "TCP", undefined],
  ["CTL-031", "none", "TCP", undefined],
] as const) {
  test(`${id}, CTL-032: targetPort ${targetPort} of ${protocol} is ${expected}`, () => {
    const ports = [{ name: "x", port: 80, targetPort, protocol, appProtocol: "kubernetes.io/h2c" }];
    const slice = only(fresh({ service: service({ ports }), pods: [pod("a", { spec: named })] }));
    assert.equal(slice.endpoints?.length, 1);
    const port = { name: "x", port: expected, protocol, appProtocol: "kubernetes.io/h2c" };
    assert.deepEqual(slice.ports, expected === undefined ? [] : [port]);
  });
}

test("CTL-031, CTL-032: a pod that lacks one port of two keeps the other; a port without a name has an empty one", () => {
  const ports = [
    { port: 80, targetPort: 8080 },
    { name: "y", port: 81, targetPort: "none" },
  ];
  const slice = only(fresh({ service: service({ ports }), pods: [pod("a", { spec: named })] }));
  assert.deepEqual(slice.ports, [{ name: "", port: 8080, protocol: "TCP" }]);
});

test("CTL-033, CTL-048: pods with other numbers behind a name are in other slices; when those go, so does the slice", () => {
  const web = service({
    ports: [
      { name: "x", port: 80, targetPort: "web" },
      { name: "y", port: 81 },
    ],
  });
  const at = (name: string, containerPort: number): Pod =>
    pod(name, { spec: { containers: [{ name: "c", ports: [{ name: "web", containerPort }] }] } });
  const pods = [at("a", 1), at("bb", 2), at("ccc", 1)];
  const existing = applied([], decide({ service: web, pods }));
  assert.deepEqual(
    existing.map(({ ports, endpoints }) => [
      ports?.map(({ port }) => port),
      endpoints?.map(({ targetRef }) => targetRef?.name),
    ]),
    [
      [
        [1, 81],
        ["a", "ccc"],
      ],
      [[2, 81], ["bb"]],
    ],
  );
  isNothing(decide({ service: service({ ports: [...(web.spec?.ports ?? [])].reverse() }), pods, existing }));
  const changes = decide({ service: web, pods: [at("a", 1), at("ccc", 1)], existing });
  assert.deepEqual([only(changes.delete).ports?.[0]?.port, changes.update, changes.create], [2, [], []]);
});

test("CTL-034: a headless Service without ports has slices with empty ports and the headless label", () => {
  const slice = only(fresh({ service: service({ clusterIP: "None", ports: undefined }), pods: [pod("a")] }));
  assert.deepEqual([slice.ports, slice.endpoints?.length], [[], 1]);
  assert.equal(slice.metadata.labels?.["service.kubernetes.io/headless"], "");
});
