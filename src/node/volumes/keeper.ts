import { join } from "node:path";
import type { PersistentVolumeClaim, Pod, Volume } from "../../api/generated/types.ts";
import { persistentVolumeClaims } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { PodPlace } from "../environment/field-ref.ts";
import { ConfigError, type Lookups } from "../environment/lookups.ts";
import type { ObjectWatches } from "../pods/object-watches.ts";
import { claimDirectory, claimFault, makeClaim } from "./claim.ts";
import { giveToGroup } from "./give-group.ts";
import { checkHostPath } from "./host-path.ts";
import { keepFilled, type FilledVolumes } from "./keep-filled.ts";
import type { MemoryVolumes } from "./memory-volumes.ts";
import { isFilled } from "./payload.ts";
import { makeEmptyDir, refuseUnsupported, volumeSource, type VolumePlaces } from "./volumes.ts";

export interface KeeperOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly lookups: (namespace: string) => Lookups;
  readonly watches: ObjectWatches;
  /** The directory of a pod's volumes, by its uid. */
  readonly directory: (uid: string) => string;
  readonly memory: MemoryVolumes;
  /** The directory of all claims' data. */
  readonly claims: string;
  /** Whether pods may see the host's files as they are. */
  readonly allowHostAccess: boolean;
  /** The one user of all of a pod's containers; undefined where they differ. */
  readonly userOf: (pod: Pod) => number | undefined;
}

/** The volumes of this node's pods: made before the first container starts, and kept as the API has them while the pod runs. */
export interface VolumeKeeper {
  places(uid: string): Promise<VolumePlaces>;
  /**
   * Makes all volumes of a pod. `adopted`: they were made by an earlier run of ours, and what cannot be brought up to date now
   * stays as it is. Throws ConfigError when something that is named is missing.
   */
  prepare(pod: Pod, place: PodPlace, adopted: boolean): Promise<void>;
  /** The pod's object has changed. */
  update(pod: Pod): void;
  /** The pod is no more: nothing is kept current for it, and what is outside its directories is removed. */
  end(uid: string): Promise<void>;
  /** Leaves all volumes as they are. */
  stop(): Promise<void>;
}

const isOver = (pod: Pod): boolean => pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";

export function volumeKeeper(options: KeeperOptions): VolumeKeeper {
  const { client, memory } = options;
  const kept = new Map<string, FilledVolumes>();

  const places = async (uid: string): Promise<VolumePlaces> => ({
    volumes: options.directory(uid),
    memory: await memory.of(uid),
    claims: options.claims,
  });

  const makeClaimed = async (pod: Pod, name: string): Promise<void> => {
    const { namespace = "" } = pod.metadata;
    const claim = await client
      .get<PersistentVolumeClaim>(persistentVolumeClaims, { namespace, name })
      .catch((error: unknown) => {
        if (isApiError(error, "NotFound")) return undefined;
        throw error;
      });
    const fault = claimFault(claim, name);
    if (fault !== undefined) throw new ConfigError(fault);
    const directory = claimDirectory(options.claims, namespace, name);
    await makeClaim(directory);
    const { fsGroup, fsGroupChangePolicy } = pod.spec?.securityContext ?? {};
    if (fsGroup !== undefined) await giveToGroup(directory, fsGroup, fsGroupChangePolicy === "OnRootMismatch");
  };

  const make = async (pod: Pod, volume: Volume, at: VolumePlaces): Promise<void> => {
    refuseUnsupported(volume);
    if (volume.hostPath !== undefined && !options.allowHostAccess) {
      throw new ConfigError(`volume ${volume.name}: hostPath needs --allow-host-access`);
    }
    if (volume.hostPath !== undefined) await checkHostPath(volume.hostPath);
    if (volume.persistentVolumeClaim !== undefined) await makeClaimed(pod, volume.persistentVolumeClaim.claimName);
    if (volume.emptyDir !== undefined) {
      await makeEmptyDir(volumeSource(pod, volume, at), pod.spec?.securityContext?.fsGroup);
    }
  };

  return {
    places,
    async prepare(pod, place, adopted) {
      const uid = pod.metadata.uid ?? "";
      const all = pod.spec?.volumes ?? [];
      if (!adopted) {
        const at = await places(uid);
        for (const volume of all) await make(pod, volume, at);
      }
      const filled = all.filter(isFilled);
      if (filled.length === 0) return;
      // A try before this one may have failed half-way.
      await kept.get(uid)?.stop();
      const volumes = keepFilled({
        ...options,
        pod,
        place,
        volumes: filled,
        owner: { user: options.userOf(pod), group: pod.spec?.securityContext?.fsGroup },
        directoryOf: (volume) => join(options.directory(uid), volume.name),
      });
      kept.set(uid, volumes);
      await volumes.first(adopted);
    },
    update(pod) {
      const uid = pod.metadata.uid ?? "";
      if (!isOver(pod)) return kept.get(uid)?.update(pod);
      void kept.get(uid)?.stop();
      kept.delete(uid);
    },
    async end(uid) {
      await kept.get(uid)?.stop();
      kept.delete(uid);
      await memory.remove(uid);
    },
    async stop() {
      await Promise.all([...kept.values()].map((volumes) => volumes.stop()));
      kept.clear();
    },
  };
}
