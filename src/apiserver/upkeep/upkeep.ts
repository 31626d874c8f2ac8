import { endpoints } from "../../api/endpoints/endpoints.ts";
import { endpointSlice } from "../../api/endpointSlice/endpointSlice.ts";
import type { Kind } from "../../api/kind.ts";
import { namespace } from "../../api/namespace/namespace.ts";
import { service } from "../../api/service/service.ts";
import { serviceCIDR } from "../../api/serviceCIDR/serviceCIDR.ts";
import type { Part } from "../../observe/part.ts";
import { KUBERNETES, NAMESPACES } from "../bootstrap/objects.ts";
import type { NodePortRange } from "../claims/plan-node-ports.ts";
import { DEFAULT_SERVICE_CIDR } from "../claims/reader.ts";
import type { Context } from "../context.ts";
import { LOOK_EVERY_MS } from "../instances/judge.ts";
import { Leases } from "../instances/leases.ts";
import { objectKey } from "../keys.ts";
import { startRepair } from "../repair/repair.ts";
import { createRecorder } from "./recorder.ts";
import { startRounds, type Rounds } from "./rounds.ts";
import { wellKnown, type WellKnownOptions } from "./well-known.ts";

export interface UpkeepOptions extends WellKnownOptions {
  readonly nodePortRange: NodePortRange;
}

/** As upstream; between two rounds changes of what is looked after are heard of at once, so that a round mostly finds nothing to do. */
const EVERY_MS = 10_000;
/** A store that cannot be reached must not keep a server from ending. */
const LEAVE_PATIENCE_MS = 2000;

/** Calls back when one of these objects changes, whoever changed it. */
function hear(context: Context, kind: Kind, names: readonly string[], rounds: Rounds): () => void {
  const keys = new Set(names.map((name) => objectKey(kind, { namespace: "default", name })));
  return context.cache.of(kind).listen({
    changes: (changes) => {
      if (changes.some(({ next, previous }) => keys.has((next ?? previous)!.key))) rounds.soon();
    },
    lost: () => rounds.soon(),
  });
}

/**
 * What an API server does of its own accord: it keeps the objects that every cluster has, lists the servers that live in
 * `default/kubernetes`, and repairs claims. All of it may run in several servers on one store at once.
 */
export function startUpkeep(context: Context, options: UpkeepOptions): Part {
  const { clock, log } = context;
  const { ip } = options.advertise;
  const recorder = createRecorder(context, "kubernetes-service-cidr-controller");
  const kept = wellKnown(context, options, recorder);
  const leases = new Leases(context.store, ip);
  let living: readonly string[] = [ip];

  const looks = startRounds({
    clock,
    log,
    what: "the leases of API servers",
    firstMs: 0,
    everyMs: LOOK_EVERY_MS,
    work: async () => {
      const before = living;
      ({ living } = await leases.look(true));
      if (living.join() !== before.join()) ofEndpoints.soon();
    },
  });
  const ofEndpoints = startRounds({
    clock,
    log,
    what: "the Endpoints of the API server",
    firstMs: 0,
    everyMs: EVERY_MS,
    work: async () => {
      // Another server may have changed them on its way out.
      ({ living } = await leases.look(false));
      await kept.endpoints(living, false);
    },
  });
  const keep = (what: string, work: () => Promise<void>): Rounds =>
    startRounds({ clock, log, what, firstMs: 0, everyMs: EVERY_MS, work });
  const ofRange = keep("the default ServiceCIDR", () => kept.serviceCIDR());
  const ofService = keep("the Service of the API server", () => kept.service());
  const ofNamespaces = keep("the namespaces that are always there", () => kept.namespaces());
  const unlisten = [
    hear(context, serviceCIDR, [DEFAULT_SERVICE_CIDR], ofRange),
    hear(context, service, [KUBERNETES], ofService),
    hear(context, endpoints, [KUBERNETES], ofEndpoints),
    hear(context, endpointSlice, [KUBERNETES], ofEndpoints),
    hear(context, namespace, NAMESPACES, ofNamespaces),
  ];
  const { reader, nodePortRange } = options;
  // Any one will do; all servers know the same leases, and so agree who is first.
  const repair = startRepair(context, { reader, nodePortRange, leads: () => living[0] === ip });

  const leave = async (): Promise<void> => {
    try {
      await kept.endpoints((await leases.leave()).living, true);
    } catch (error) {
      log.warn({ error: String(error) }, "this server's address could not be taken off the list of API servers");
    }
  };
  return {
    async stop() {
      for (const stop of unlisten) stop();
      const rounds = [looks, ofEndpoints, ofRange, ofService, ofNamespaces];
      const ended = Promise.all([...rounds.map((one) => one.stop()), repair.stop()])
        .then(leave)
        .then(() => recorder.flush());
      await new Promise<void>((resolve) => {
        const cancel = clock.after(LEAVE_PATIENCE_MS, resolve);
        void ended.finally(() => {
          cancel();
          resolve();
        });
      });
    },
  };
}
