import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { decode } from "./decode.ts";
import { kinds } from "./kinds.ts";

const NOW = { now: "2026-01-01T00:00:00Z" };

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

/** A JSON value like the given one, with parts of it replaced by anything. */
const like = (value: unknown): fc.Arbitrary<unknown> => {
  const anything = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom("", "1", "a/b", "1e999", "*.a", {}, []));
  const same: fc.Arbitrary<unknown> = Array.isArray(value)
    ? fc.tuple(...value.map(like))
    : typeof value === "object" && value !== null
      ? fc.record(Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, like(inner)])))
      : fc.constant(value);
  return fc.oneof({ arbitrary: same, weight: 8 }, { arbitrary: anything, weight: 1 });
};
/** All fields of these kinds that are read by more than the decoder. */
const fullTemplate = {
  metadata: { labels: { app: "a" }, annotations: { a: "b" } },
  spec: {
    containers: [{ name: "c", image: "i", ports: [{ containerPort: 1 }], env: [{ name: "A", value: "b" }] }],
    volumes: [{ name: "v", persistentVolumeClaim: { claimName: "a" } }],
    restartPolicy: "Never",
    nodeSelector: { a: "b" },
    affinity: { nodeAffinity: {} },
  },
};
const fullSelector = { matchLabels: { app: "a" }, matchExpressions: [{ key: "a", operator: "In", values: ["b"] }] };
const fullWorkload = {
  replicas: 1,
  minReadySeconds: 1,
  revisionHistoryLimit: 1,
  selector: fullSelector,
  template: fullTemplate,
};
const fullClaim = {
  accessModes: ["ReadWriteOnce"],
  selector: fullSelector,
  resources: { requests: { storage: "1Gi" }, limits: { storage: "2" } },
  dataSource: { kind: "PersistentVolumeClaim", name: "a" },
  dataSourceRef: { apiGroup: "a", kind: "A", name: "a", namespace: "b" },
};
const counts = { replicas: 1, readyReplicas: 1, availableReplicas: 1, collisionCount: 1 };
const conditions = [{ type: "Complete", status: "True", reason: "A", message: "" }];
const FULL: Record<string, object> = {
  Deployment: {
    spec: {
      ...fullWorkload,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "1%", maxUnavailable: 1 } },
    },
    status: { ...counts, conditions },
  },
  ReplicaSet: { spec: fullWorkload, status: { ...counts, conditions } },
  StatefulSet: {
    spec: {
      ...fullWorkload,
      ordinals: { start: 1 },
      serviceName: "a",
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 1, maxUnavailable: "1%" } },
      volumeClaimTemplates: [{ metadata: { name: "v" }, spec: fullClaim }],
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Delete" },
    },
    status: { ...counts, conditions },
  },
  DaemonSet: {
    spec: {
      ...fullWorkload,
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
    },
    status: { numberReady: 1, collisionCount: 1 },
  },
  ControllerRevision: {
    data: { a: [1] },
    revision: 1,
  },
  Job: {
    spec: {
      template: fullTemplate,
      completionMode: "Indexed",
      completions: 3,
      parallelism: 3,
      suspend: true,
      managedBy: "a/b",
      backoffLimitPerIndex: 1,
      maxFailedIndexes: 1,
      successPolicy: { rules: [{ succeededIndexes: "1-2", succeededCount: 1 }] },
      podFailurePolicy: {
        rules: [
          { action: "FailJob", onExitCodes: { containerName: "c", operator: "In", values: [1, 2] } },
          { action: "Ignore", onPodConditions: [{ type: "A", status: "True" }] },
        ],
      },
    },
    status: {
      conditions,
      active: 1,
      ready: 1,
      startTime: NOW.now,
      completionTime: NOW.now,
      completedIndexes: "0,2",
      failedIndexes: "1",
      uncountedTerminatedPods: { succeeded: ["a"], failed: ["b"] },
    },
  },
  ReplicationController: {
    spec: { replicas: 1, selector: { app: "a" }, template: fullTemplate },
    status: { ...counts, conditions },
  },
  PersistentVolumeClaim: {
    spec: { ...fullClaim, volumeName: "v", storageClassName: "a", volumeMode: "Block", volumeAttributesClassName: "a" },
    status: { phase: "Bound", capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], conditions },
  },
  PodDisruptionBudget: {
    spec: { minAvailable: "1%", maxUnavailable: 1, selector: fullSelector, unhealthyPodEvictionPolicy: "AlwaysAllow" },
    status: { disruptionsAllowed: 1, disruptedPods: { a: NOW.now }, conditions },
  },
  Ingress: {
    spec: {
      ingressClassName: "a",
      defaultBackend: { resource: { apiGroup: "a", kind: "A", name: "a" } },
      rules: [
        {
          host: "*.a",
          http: {
            paths: [
              { path: "/", pathType: "Exact", backend: { service: { name: "a", port: { name: "a", number: 1 } } } },
            ],
          },
        },
      ],
      tls: [{ hosts: ["a"], secretName: "a" }],
    },
    status: { loadBalancer: { ingress: [{ ip: "1.2.3.4", hostname: "a", ports: [{ port: 1, protocol: "TCP" }] }] } },
  },
  IngressClass: {
    spec: {
      controller: "a/b",
      parameters: { apiGroup: "a", kind: "A", name: "a", scope: "Namespace", namespace: "a" },
    },
  },
  ResourceQuota: {
    spec: {
      hard: { services: "1", "limits.cpu": "100m", "a/b": 3 },
      scopes: ["BestEffort"],
      scopeSelector: { matchExpressions: [{ scopeName: "PriorityClass", operator: "In", values: ["a"] }] },
    },
    status: { hard: { services: "1" }, used: { services: "1" } },
  },
};
for (const [name, full] of Object.entries(FULL)) {
  void test(`${name}: whatever a writer sends is decoded, or refused with reasons`, () => {
    const kind = kinds.find((one) => one.kind === name)!;
    const given = { metadata: { name: "x", namespace: "default" }, ...full };
    const was = kind.prepareForCreate(kind.defaults(decode(kind, given).object), NOW);
    fc.assert(
      fc.property(like(given), (json) => {
        const { object, faults } = decode(kind, json);
        if (faults.length > 0) return;
        const next = kind.defaults(deepFreeze(object));
        const created = kind.prepareForCreate(next, NOW);
        const reasons = [
          ...kind.validate(created, undefined),
          ...kind.validate(kind.prepareForUpdate(next, was, NOW), was),
          ...(kind.validateStatus?.(kind.prepareForStatusUpdate?.(next, was) ?? next, was) ?? []),
        ];
        for (const { field, message } of reasons) assert.ok(typeof field === "string" && message !== "");
        assert.deepEqual(kind.defaults(next), next);
        kind.warnings?.(created, undefined);
        kind.statusWarnings?.(next, was);
        assert.equal(kind.row(next, 0).length, kind.columns.length);
        kind.selectableFields(next);
      }),
      { numRuns: 2000 },
    );
  });
}
