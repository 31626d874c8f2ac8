import { chmod, chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Container, Pod, Volume } from "../../api/generated/types.ts";
import { expand } from "../environment/expand.ts";
import { ConfigError } from "../environment/lookups.ts";
import type { BindMount } from "../runtimes/runtime.ts";
import { claimDirectory } from "./claim.ts";
import { isFilled } from "./payload.ts";
import { plainPart, plainPath } from "./plain-path.ts";
import { subPathOf } from "./sub-path.ts";

/** Where volumes are: of this pod, of its memory where there is a place for that, and of all claims. */
export interface VolumePlaces {
  readonly volumes: string;
  readonly memory: string | undefined;
  readonly claims: string;
}

/** Names the fields of a volume that are not supported here. */
export function refuseUnsupported(volume: Volume): void {
  const { emptyDir, hostPath, persistentVolumeClaim } = volume;
  if (isFilled(volume) || (emptyDir ?? hostPath ?? persistentVolumeClaim) !== undefined) return;
  const kind = Object.keys(volume).find((key) => key !== "name") ?? "nothing";
  throw new ConfigError(
    `volume ${volume.name}: ${kind} is not supported here; emptyDir, configMap, secret, downwardAPI, projected, persistentVolumeClaim and hostPath are`,
  );
}

/** The directory or file behind a volume of a pod. */
export function volumeSource(pod: Pod, volume: Volume, places: VolumePlaces): string {
  const { emptyDir, hostPath, persistentVolumeClaim: claim } = volume;
  if (hostPath !== undefined) return hostPath.path;
  if (claim !== undefined) return claimDirectory(places.claims, pod.metadata.namespace ?? "", claim.claimName);
  const inMemory = emptyDir?.medium === "Memory" ? places.memory : undefined;
  return join(inMemory ?? places.volumes, volume.name);
}

/** Makes an emptyDir unless it is there; `group` is the pod's `fsGroup`. */
export async function makeEmptyDir(directory: string, group: number | undefined): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (group !== undefined) await chown(directory, -1, group).catch(() => {});
  // After the change of its group, which would take the bit away again.
  await chmod(directory, group === undefined ? 0o777 : 0o2777);
}

function partOf(mount: NonNullable<Container["volumeMounts"]>[number], env: Readonly<Record<string, string>>): string {
  const where = `volumeMounts[${mount.name}]`;
  if (mount.subPathExpr) {
    const missing: string[] = [];
    const part = expand(mount.subPathExpr, (name) => {
      if (env[name] === undefined) missing.push(name);
      return env[name];
    });
    if (missing.length > 0) {
      throw new ConfigError(
        `${where}.subPathExpr: missing value for ${missing.map((name) => JSON.stringify(name)).join(", ")}`,
      );
    }
    if (plainPart(part) === undefined) {
      throw new ConfigError(`${where}.subPathExpr: ${JSON.stringify(part)} must be relative, without ".."`);
    }
    return plainPart(part)!;
  }
  const part = mount.subPath ?? "";
  if (part === "") return "";
  const plain = plainPart(part);
  if (plain === undefined) {
    throw new ConfigError(`${where}.subPath: ${JSON.stringify(part)} must be relative, without ".."`);
  }
  return plain;
}

/** What of its pod's volumes a container sees, and where; `env` is what `$(NAME)` in a `subPathExpr` means. Throws ConfigError. */
export async function volumeMounts(
  pod: Pod,
  container: Container,
  places: VolumePlaces,
  env: Readonly<Record<string, string>>,
): Promise<BindMount[]> {
  const volumes = new Map((pod.spec?.volumes ?? []).map((volume) => [volume.name, volume]));
  const mounts: BindMount[] = [];
  for (const mount of container.volumeMounts ?? []) {
    const volume = volumes.get(mount.name);
    const target = plainPath(mount.mountPath) ?? mount.mountPath;
    if (volume === undefined) throw new ConfigError(`volumeMounts: there is no volume ${JSON.stringify(mount.name)}`);
    if (mount.mountPropagation !== undefined && mount.mountPropagation !== "None") {
      throw new ConfigError(
        `volumeMounts[${mount.name}].mountPropagation: ${mount.mountPropagation} is not supported here; None is`,
      );
    }
    const root = volumeSource(pod, volume, places);
    const writable = !isFilled(volume);
    const part = partOf(mount, env);
    mounts.push({
      source: part === "" ? root : await subPathOf(root, part, writable),
      target,
      readOnly: !writable || mount.readOnly === true || volume.persistentVolumeClaim?.readOnly === true,
      // In a volume that pods write to, a link could lead such a path out of it.
      ...(part !== "" && writable ? { within: root } : {}),
    });
  }
  mounts.sort((one, other) => (one.target < other.target ? -1 : 1));
  for (const outer of mounts) {
    const inner = mounts.find(({ target }) => target.startsWith(`${outer.target}/`));
    if (inner !== undefined && !outer.readOnly) {
      throw new ConfigError(
        `volumeMounts: ${inner.target} is inside the writable volume at ${outer.target}; mount it elsewhere`,
      );
    }
  }
  return mounts;
}
