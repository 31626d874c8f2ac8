import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { PersistentVolumeClaim } from "../../api/generated/types.ts";
import { ConfigError } from "../environment/lookups.ts";

/** A name of the API as part of a path. */
const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/** Where the data of a claim lies: by namespace and name, so that a claim made again finds it. */
export function claimDirectory(claims: string, namespace: string, name: string): string {
  for (const part of [namespace, name]) {
    if (!NAME.test(part)) throw new ConfigError(`persistentvolumeclaim ${JSON.stringify(part)}: this is no name`);
  }
  return join(claims, namespace, name);
}

/** Why a pod must wait for a claim; undefined when it may have it. `claim` is undefined where there is none. */
export function claimFault(claim: PersistentVolumeClaim | undefined, name: string): string | undefined {
  if (claim === undefined) return `persistentvolumeclaim ${JSON.stringify(name)} not found`;
  if (claim.metadata.deletionTimestamp !== undefined) {
    return `persistentvolumeclaim ${JSON.stringify(name)} is being deleted`;
  }
  if (claim.spec?.volumeMode === "Block") {
    return `persistentvolumeclaim ${JSON.stringify(name)} has volumeMode Block; here claims are directories, with volumeMode Filesystem`;
  }
  const phase = claim.status?.phase ?? "Pending";
  return phase === "Bound"
    ? undefined
    : `persistentvolumeclaim ${JSON.stringify(name)} is not bound: its phase is ${phase}`;
}

/** Makes the directory of a claim unless its data is there. Every pod that may have the claim may write to it. */
export async function makeClaim(directory: string): Promise<void> {
  if ((await mkdir(directory, { recursive: true, mode: 0o755 })) !== undefined) await chmod(directory, 0o777);
}
