import { randomUUID } from "node:crypto";
import type { IPAddress, Service, ServiceCIDR } from "../../api/generated/types.ts";
import { ipAddress } from "../../api/ipAddress/ipAddress.ts";
import type { KubeObject } from "../../api/object.ts";
import { ipAddresses, services } from "../../api/resources.ts";
import { service as serviceKind } from "../../api/service/service.ts";
import { serviceCIDR } from "../../api/serviceCIDR/serviceCIDR.ts";
import { cidrContains, parseCidr, type Cidr } from "../../net/cidr.ts";
import { timestamp } from "../../observe/clock.ts";
import type { Part } from "../../observe/part.ts";
import type { Condition, Operation } from "../../store/store.ts";
import { storedText } from "../cache/item.ts";
import type { Change } from "../cache/ring.ts";
import { heldNodePorts, type NodePortRange } from "../claims/plan-node-ports.ts";
import { nodePortValue, type ClaimReader, type Holder } from "../claims/reader.ts";
import { addressObject } from "../claims/service-claims.ts";
import type { Context } from "../context.ts";
import { nodePortKey, objectKey } from "../keys.ts";
import { createRecorder, type Recorder } from "../upkeep/recorder.ts";
import { startRounds } from "../upkeep/rounds.ts";
import { store } from "../write.ts";
import { decideAddress, decideService, type AddressRepair, type AddressSurroundings } from "./addresses.ts";
import type { Finding } from "./finding.ts";
import { decideNodePorts, type Leaks, type NodePortRepair } from "./node-ports.ts";

export interface RepairOptions {
  readonly reader: Pick<ClaimReader, "nodePortClaims">;
  readonly nodePortRange: NodePortRange;
  /** Whether this server is the one that makes the rounds. */
  readonly leads: () => boolean;
}

const EVERY_MS = 3 * 60_000;
/** The first round may find what happened while no server ran; the start itself has better things to do. */
const FIRST_MS = 30_000;
/** Objects looked at in one go; requests are answered in between. */
const AT_ONCE = 500;

const revisionOf = ({ metadata }: Pick<KubeObject, "metadata">): number => Number(metadata.resourceVersion);
const placeOf = ({ metadata }: Service): Holder => ({
  namespace: metadata.namespace ?? "",
  name: metadata.name ?? "",
});
const serviceKey = (at: Holder): string => objectKey(services, at);
const addressKey = (ip: string): string => objectKey(ipAddresses, { name: ip });
const isUnchanged = (key: string, object: Pick<KubeObject, "metadata">): Condition => ({
  key,
  modRevision: revisionOf(object),
});
const parentOf = (address: IPAddress): Holder => {
  const parent = address.spec?.parentRef;
  return { namespace: parent?.namespace ?? "", name: parent?.name ?? "" };
};

/** The transaction of a repair, which happens only if all that it was decided from is still so. */
interface Transaction {
  readonly conditions: readonly Condition[];
  readonly operations: readonly Operation[];
}

function addressTransaction(repair: AddressRepair, now: string): Transaction {
  if (repair.type === "claim") {
    const { ip, service, replaces } = repair;
    const key = addressKey(ip);
    const at = placeOf(service);
    // One put, even over a wrong one: were it removed first, somebody else could take the address in between.
    const value = storedText(addressObject(ip, at, randomUUID(), now));
    return {
      conditions: [
        isUnchanged(serviceKey(at), service),
        replaces === undefined ? { key, absent: true } : isUnchanged(key, replaces),
      ],
      operations: [{ type: "put", key, value }],
    };
  }
  const { address, service } = repair;
  const key = addressKey(address.metadata.name ?? "");
  const parent = serviceKey(parentOf(address));
  const isOfService = address.spec?.parentRef?.resource === "services";
  return {
    conditions: [
      isUnchanged(key, address),
      ...(service !== undefined
        ? [isUnchanged(parent, service)]
        : isOfService
          ? [{ key: parent, absent: true as const }]
          : []),
    ],
    operations: [{ type: "delete", key }],
  };
}

function nodePortTransaction(repair: NodePortRepair): Transaction {
  const key = nodePortKey(repair.port);
  if (repair.type === "free") {
    return {
      conditions: [{ key, modRevision: repair.held.modRevision }],
      operations: [{ type: "delete", key }],
    };
  }
  const { service, replaces } = repair;
  const at = placeOf(service);
  return {
    conditions: [
      isUnchanged(serviceKey(at), service),
      replaces === undefined ? { key, absent: true } : { key, modRevision: replaces.modRevision },
    ],
    operations: [{ type: "put", key, value: nodePortValue(at) }],
  };
}

/**
 * Puts right what Services and their claims say of each other. Nothing that this server writes can make it necessary, since both are
 * written in one transaction; but people delete IPAddresses and restore stores. An IPAddress that is lost is put back at once,
 * by whichever server sees it first; one server looks through everything every 3 minutes (SVC-262, SVC-275 … SVC-278).
 */
export function startRepair(context: Context, options: RepairOptions): Part {
  const { cache, clock, log } = context;
  const allServices = cache.of(serviceKind);
  const allAddresses = cache.of(ipAddress);
  const allRanges = cache.of(serviceCIDR);
  const addressRecorder = createRecorder(context, "ipallocator-repair-controller");
  const portRecorder = createRecorder(context, "portallocator-repair-controller");
  const later = new Map<string, () => void>();
  const changed = new Set<string>();
  let leaks: Leaks = new Map();
  let ranges: { readonly changed: number; readonly cidrs: readonly Cidr[] } | undefined;
  let working: Promise<void> = Promise.resolve();
  let isStopped = false;

  const cidrs = (): readonly Cidr[] => {
    if (ranges?.changed !== allRanges.changed) {
      const texts = [...allRanges.range(allRanges.prefix)].flatMap(
        ({ object }) => (object as ServiceCIDR).spec?.cidrs ?? [],
      );
      ranges = { changed: allRanges.changed, cidrs: texts.map(parseCidr) };
    }
    return ranges.cidrs;
  };
  const around: AddressSurroundings = {
    address: (ip) => allAddresses.get(addressKey(ip))?.object as IPAddress | undefined,
    service: (at) => allServices.get(serviceKey(at))?.object as Service | undefined,
    isInRange: (ip) => cidrs().some((cidr) => cidrContains(cidr, ip)),
  };

  const act = async <Repair>(
    findings: readonly Finding<Repair>[],
    recorder: Recorder,
    transactionOf: (repair: Repair) => Transaction,
  ): Promise<void> => {
    for (const { complaint, repair } of findings) {
      if (repair !== undefined) {
        const { conditions, operations } = transactionOf(repair);
        const result = await store(context, conditions, operations);
        // Something has changed: it is looked at anew when that is heard of, or another server was first.
        if (!result.ok) continue;
        log.warn(
          { keys: operations.map(({ key }) => key), ...(complaint === undefined ? {} : { why: complaint.message }) },
          "repaired the claims of a Service",
        );
      }
      if (complaint !== undefined) recorder.warn(complaint);
    }
  };
  const actOnAddresses = (findings: readonly Finding<AddressRepair>[]): Promise<void> =>
    act(findings, addressRecorder, (repair) => addressTransaction(repair, timestamp(clock.now())));

  const lookAtService = async (service: Service | undefined): Promise<void> => {
    if (service !== undefined) await actOnAddresses(decideService(service, around));
  };
  const lookAtAddress = async (ip: string): Promise<void> => {
    later.get(ip)?.();
    later.delete(ip);
    const address = around.address(ip);
    if (address === undefined) return;
    const { finding, againInMs } = decideAddress(address, around, clock.now());
    if (againInMs !== undefined && !isStopped)
      later.set(
        ip,
        clock.after(againInMs, () => look(() => lookAtAddress(ip))),
      );
    if (finding !== undefined) await actOnAddresses([finding]);
  };
  /** One look after the other; a failure ends only its own. */
  function look(at: () => Promise<void>): void {
    working = working
      .then(() => (isStopped ? undefined : at()))
      .catch((error: unknown) => {
        if (!isStopped) log.warn({ error: String(error) }, "looking after the claims of Services failed");
      });
  }

  /** By address, what it was before: its Service is the one that may miss it now. */
  const lost = new Map<string, IPAddress>();
  const drain = (): void => {
    const [addresses, gone] = [[...changed], [...lost.values()]];
    changed.clear();
    lost.clear();
    look(async () => {
      for (const previous of gone) await lookAtService(around.service(parentOf(previous)));
      for (const ip of addresses) await lookAtAddress(ip);
    });
  };
  const unlisten = allAddresses.listen({
    changes: (changes: readonly Change[]) => {
      if (changed.size + lost.size === 0) setImmediate(drain);
      for (const { next, previous } of changes) {
        const { name = "" } = (next ?? previous)!.object.metadata;
        if (next !== undefined) changed.add(name);
        if (previous !== undefined) lost.set(name, previous.object as IPAddress);
      }
    },
    lost: () => rounds.soon(),
  });

  const inParts = async (all: readonly (() => Promise<void>)[]): Promise<void> => {
    for (const [index, one] of all.entries()) {
      if (isStopped) return;
      await one();
      if (index % AT_ONCE === AT_ONCE - 1) await new Promise((resolve) => setImmediate(resolve));
    }
  };

  const lookAtNodePorts = async (): Promise<void> => {
    const { claims, revision } = await options.reader.nodePortClaims();
    // Whoever holds one of these claims is in memory by then, unless it is gone again.
    await cache.reached(revision);
    const holding = [...allServices.range(allServices.prefix)]
      .map(({ object }) => object as Service)
      .filter((service) => heldNodePorts(service).size > 0)
      .sort((one, other) =>
        (one.metadata.creationTimestamp ?? "") < (other.metadata.creationTimestamp ?? "") ? -1 : 1,
      );
    const verdict = decideNodePorts({ services: holding, claims, range: options.nodePortRange, leaks });
    ({ leaks } = verdict);
    // A Service written after the claims were read may have claims that were not read.
    const isNewer = (service: Pick<KubeObject, "metadata">): boolean => revisionOf(service) > revision;
    const findings = verdict.findings.filter(
      ({ complaint, repair }) =>
        !(complaint !== undefined && isNewer(complaint.about)) &&
        !(repair?.type === "claim" && isNewer(repair.service)),
    );
    await act(findings, portRecorder, nodePortTransaction);
  };

  const rounds = startRounds({
    clock,
    log,
    what: "the claims of Services",
    firstMs: FIRST_MS,
    everyMs: EVERY_MS,
    work: async () => {
      if (!options.leads()) {
        leaks = new Map();
        return;
      }
      const ofServices = [...allServices.range(allServices.prefix)];
      await inParts(
        ofServices.map(
          ({ key }) =>
            () =>
              lookAtService(allServices.get(key)?.object as Service),
        ),
      );
      const ofAddresses = [...allAddresses.range(allAddresses.prefix)];
      await inParts(
        ofAddresses.map(
          ({ object }) =>
            () =>
              lookAtAddress(object.metadata.name ?? ""),
        ),
      );
      await lookAtNodePorts();
    },
  });

  return {
    async stop() {
      isStopped = true;
      unlisten();
      for (const cancel of later.values()) cancel();
      await Promise.all([rounds.stop(), working]);
      await Promise.all([addressRecorder.flush(), portRecorder.flush()]);
    },
  };
}
