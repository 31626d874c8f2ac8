import type { UserspacePart } from "../../../src/proxy/engines/userspace/compile.ts";
import type { UserspaceFrame } from "../../../src/proxy/engines/userspace/frame.ts";
import type { UserspaceState } from "../../../src/proxy/engines/userspace/state.ts";
import { userspaceEngine } from "../../../src/proxy/engines/userspace/engine.ts";
import { userspaceSnapshot } from "./userspace-snapshot.ts";
import type { Subject } from "../table/subject.ts";

/** The userspace engine for the packet table. */
export const USERSPACE: Subject<UserspacePart, UserspaceFrame, UserspaceState> = {
  name: "userspace",
  open: (host) => userspaceEngine(host),
  snapshot: userspaceSnapshot,
  exceptions: {
    "PRX-043": {
      why: "of two sockets on one address and port the kernel knows one, and the host's own listener was there first",
      instead: { pods: ["host1"], source: "any" },
    },
    "PRX-069": {
      why: "a socket does not know by which interface its caller came, so such pods are outsiders",
      instead: (cell, was) => (cell.from.startsWith("pod") ? { pods: ["pod1", "pod2"], source: "node" } : was),
    },
    "PRX-075": { why: "the addresses are this machine's, and its kernel answers for them", instead: "refused" },
    "PRX-076": { why: "the proxy has accepted before it hears that the pod refuses", instead: "closed" },
    "PRX-092": { why: "without endpoints nobody listens, so the kernel refuses whoever calls", instead: "refused" },
  },
};
