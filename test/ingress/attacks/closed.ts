import { createHash } from "node:crypto";
import type { LabPod } from "../lab/backends.ts";
import type { Stage } from "../contract/stage.ts";

export const RIGHT = { authorization: `Basic ${Buffer.from("ann:secret").toString("base64")}` };

/** A host whose `/admin` wants a password, and whose other paths are open, of one Service. */
export interface ClosedAdmin {
  readonly host: string;
  readonly pod: LabPod;
}

export async function closedAdmin({ cluster, follow, name, pods }: Stage): Promise<ClosedAdmin> {
  const own = name("closed");
  const host = `${own}.test`;
  const pod = pods[0]!;
  cluster.service(own, [pod]);
  cluster.secret(own, { auth: `ann:{SHA}${createHash("sha1").update("secret").digest("base64")}` });
  cluster.ingress(own, { paths: [{ host, service: own, path: "/" }] });
  cluster.ingress(`${own}-admin`, {
    nginx: { "auth-type": "basic", "auth-secret": own },
    paths: [{ host, service: own, path: "/admin" }],
  });
  await follow();
  return { host, pod };
}
