import type { LabHost } from "../../lab/lab.ts";
import { buildResolvers, resolversMissing, type Resolvers } from "../../lab/resolvers/resolvers.ts";
import { setResolvConf, startUpstream, type Upstream } from "../../lab/upstream/upstream.ts";
import { startServingWith, type Serving, type ServingOptions } from "../serving.ts";
import { askerOf, type Asker } from "./asker.ts";

/** A Fairlead whose pods ask for names. */
export interface Naming extends Serving {
  /** Undefined where there is no compiler. */
  readonly resolvers: Resolvers | undefined;
  /** The resolver of the host, on the host `outside`: for names outside the cluster. */
  readonly upstream: Upstream;
  /** Who asks in a client pod, once it is ready. */
  askerIn(pod: string): Promise<Asker>;
}

export interface NamingOptions extends ServingOptions {
  /** The search list of the host's own resolver; none unless told. */
  readonly hostSearch?: string;
}

export async function startNaming(options: NamingOptions, ...objects: readonly object[]): Promise<Naming> {
  let resolvers: Resolvers | undefined;
  let upstream: Upstream;
  const prepare = async (node: LabHost, outside: LabHost): Promise<void> => {
    if (resolversMissing === false) resolvers = await buildResolvers(node);
    upstream = await startUpstream(outside);
    const search = options.hostSearch === undefined ? "" : `search ${options.hostSearch}\n`;
    await setResolvConf(node, `${search}nameserver ${upstream.address}\n`);
    await options.prepare?.(node, outside);
  };
  const serving = await startServingWith({ ...options, prepare }, ...objects);
  return {
    ...serving,
    resolvers,
    upstream: upstream!,
    askerIn: async (pod) => askerOf(await serving.inPod(pod), resolvers),
  };
}
