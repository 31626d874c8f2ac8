/** What bench/endpoints.bench.ts measures: Fairlead's API server and controllers, each a process of its own, and Kubernetes'. */
import { once } from "node:events";
import { startControllers } from "../src/controllers/start.ts";
import { systemClock } from "../src/observe/clock.ts";
import { silentLog } from "../src/observe/log.ts";
import { createAuthority } from "../test/apiserver/certificates.ts";
import { startKubernetes } from "../test/conformance/kubernetes.ts";
import { clientOf, forked, serveApiFor, whenAlone, type Access } from "./api-process.ts";

export { clientOf } from "./api-process.ts";

/** A running API server with controllers. */
export interface Measured extends Access {
  /** The process of the controllers. */
  readonly controllers: number;
  close(): Promise<void>;
}

async function serveControllers(access: Access): Promise<void> {
  const client = clientOf(access);
  const part = await startControllers({ client, clock: systemClock, random: Math.random, log: silentLog });
  process.send!({});
  whenAlone(() => part.stop().then(() => client.close()));
}

/** Fairlead on SQLite, its file in the folder. */
export async function fairlead(folder: string): Promise<Measured> {
  const api = await serveApiFor(folder);
  const { port, ca, key, cert } = api;
  const access: Access = { port, ca, key, cert };
  const [controllers] = await forked(import.meta.filename, "controllers", JSON.stringify(access));
  return {
    ...access,
    controllers: controllers.pid!,
    close: async () => {
      controllers.disconnect();
      await once(controllers, "exit");
      await api.close();
    },
  };
}

/** kube-apiserver on etcd with kube-controller-manager, which is given these flags beside. */
export async function kubernetes(...flags: string[]): Promise<Measured> {
  const authority = await createAuthority();
  const [server, admin] = await Promise.all([authority.server(), authority.client("O=system:masters, CN=admin")]);
  const running = await startKubernetes({
    ca: authority.cert,
    server,
    admin,
    serviceRanges: ["10.96.0.0/12"],
    controllers: true,
    // Those that are measured, and none that would take pods from a node without a kubelet.
    managerFlags: [
      "--controllers=endpointslice-controller,endpoints-controller,endpointslice-mirroring-controller",
      ...flags,
    ],
  });
  const { port, managerPid } = running;
  return { port, ca: authority.cert, ...admin, controllers: managerPid!, close: () => running.close() };
}

// Forked.
const [, file, role, given = ""] = process.argv;
if (file === import.meta.filename && role === "controllers") await serveControllers(JSON.parse(given) as Access);
