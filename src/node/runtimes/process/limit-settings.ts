import type { Container, Pod } from "../../../api/generated/types.ts";
import { parseQuantity } from "../../../api/meta/quantity.ts";
import { qosClass } from "../../../api/pod/qosClass.ts";
import type { Setting } from "../../../host/cgroups.ts";

/** Processes and threads of a container: far more than a server has, far fewer than a machine. */
export const MOST_PROCESSES = 1024;

const NANO = 1_000_000_000n;
/** Microseconds over which the use of processors is weighed, and the least that can be given of them (kernel: cgroup-v1, cgroup-v2). */
const PERIOD = 100_000;
const LEAST_QUOTA = 1_000;

const bytesOf = (text: string): string => String(parseQuantity(text).nano / NANO);
const milliOf = (text: string): number => Number((parseQuantity(text).nano * 1000n + NANO - 1n) / NANO);

/** What Docker began and Kubernetes kept: 1024 shares a processor, within the kernel's bounds. */
const sharesOf = (milli: number): number => Math.max(2, Math.min(262_144, Math.floor((milli * 1024) / 1000)));
/** Version 2 has weights from 1 to 10,000 in the place of shares. */
const weightOf = (shares: number): number => 1 + Math.floor(((shares - 2) * 9_999) / 262_142);

function memorySettings(limit: string): Setting {
  const bytes = bytesOf(limit);
  return {
    controller: "memory",
    v1: [
      ["memory.limit_in_bytes", bytes],
      ["memory.memsw.limit_in_bytes", bytes],
    ],
    v2: [
      ["memory.max", bytes],
      ["memory.swap.max", "0"],
    ],
  };
}

function processorSettings(container: Container): Setting {
  const { limits = {}, requests = {} } = container.resources ?? {};
  const shares = sharesOf(requests["cpu"] === undefined ? 2 : milliOf(requests["cpu"]));
  const quota =
    limits["cpu"] === undefined
      ? undefined
      : Math.max(LEAST_QUOTA, Math.floor((milliOf(limits["cpu"]) * PERIOD) / 1000));
  return {
    controller: "cpu",
    v1: [
      ["cpu.shares", String(shares)],
      ...(quota === undefined
        ? []
        : ([
            ["cpu.cfs_period_us", String(PERIOD)],
            ["cpu.cfs_quota_us", String(quota)],
          ] as const)),
    ],
    v2: [
      ["cpu.weight", String(weightOf(shares))],
      ...(quota === undefined ? [] : ([["cpu.max", `${quota} ${PERIOD}`]] as const)),
    ],
  };
}

/** What holds a container to its resources. */
export function limitSettings(container: Container): Setting[] {
  const limit = container.resources?.limits?.["memory"];
  return [
    ...(limit === undefined ? [] : [memorySettings(limit)]),
    processorSettings(container),
    {
      controller: "pids",
      v1: [["pids.max", String(MOST_PROCESSES)]],
      v2: [["pids.max", String(MOST_PROCESSES)]],
    },
  ];
}

/**
 * How soon the kernel takes a container's processes when the machine's memory is used up, from 0 to 1000: those that asked for
 * little first, and all of them before us. `capacity` is the machine's memory. As kubelet, but that nobody is spared for good.
 */
export function outOfMemoryScore(pod: Pod, container: Container, capacity: string): number {
  const quality = pod.spec === undefined ? "BestEffort" : qosClass(pod.spec);
  if (quality === "Guaranteed") return 3;
  if (quality === "BestEffort") return 1000;
  const asked = parseQuantity(container.resources?.requests?.["memory"] ?? "0").nano;
  const all = parseQuantity(capacity).nano;
  const score = all === 0n ? 999 : 1000 - Number((1000n * asked) / all);
  return Math.min(999, Math.max(3, score));
}
