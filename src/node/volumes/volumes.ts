import { chmod, chown, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Container, KeyToPath, Pod, Volume } from "../../api/generated/types.ts";
import { ConfigError, dataOf, type Lookups } from "../environment/lookups.ts";
import type { BindMount } from "../runtimes/runtime.ts";
import { plainPath } from "./plain-path.ts";

const plainPart = (path: string): boolean =>
  path !== "" && !path.startsWith("/") && !path.includes("\0") && !path.split("/").includes("..");

/** Which keys become which files, and with which mode. */
function filesOf(
  data: Readonly<Record<string, Buffer>>,
  items: readonly KeyToPath[] | undefined,
  mode: number,
  optional: boolean,
): { path: string; content: Buffer; mode: number }[] {
  if (items === undefined || items.length === 0) {
    return Object.entries(data).map(([path, content]) => ({ path, content, mode }));
  }
  return items.flatMap((item) => {
    const content = data[item.key];
    if (content === undefined && optional) return [];
    if (content === undefined) throw new ConfigError(`references non-existent config key: ${item.key}`);
    return [{ path: item.path, content, mode: item.mode ?? mode }];
  });
}

async function fill(volume: Volume, directory: string, group: number | undefined, lookups: Lookups): Promise<void> {
  if (volume.emptyDir !== undefined) {
    await mkdir(directory, { recursive: true });
    await chmod(directory, group === undefined ? 0o777 : 0o2777);
    if (group !== undefined) await chown(directory, -1, group).catch(() => {});
    return;
  }
  const source = volume.configMap ?? volume.secret;
  if (source === undefined) {
    const kind = Object.keys(volume).find((key) => key !== "name") ?? "nothing";
    throw new ConfigError(`volume ${volume.name}: ${kind} is not supported here; emptyDir, configMap and secret are`);
  }
  const kind = volume.configMap === undefined ? "secret" : "configMap";
  const name = volume.configMap?.name ?? volume.secret?.secretName;
  const data = (await dataOf(lookups, kind, name, source.optional)) ?? {};
  const files = filesOf(data, source.items, source.defaultMode ?? 0o644, source.optional === true);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  await chmod(directory, 0o755);
  for (const { path, content, mode } of files) {
    if (!plainPart(path))
      throw new ConfigError(`volume ${volume.name}: ${JSON.stringify(path)} must be a relative path without ".."`);
    const file = join(directory, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content, { mode: 0o600 });
    await chmod(file, mode);
    if (group !== undefined) await chown(file, -1, group).catch(() => {});
  }
}

/** Makes the pod's volumes under `directory`, which no pod sees but through them. Throws ConfigError. */
export async function makeVolumes(pod: Pod, directory: string, lookups: Lookups): Promise<void> {
  for (const volume of pod.spec?.volumes ?? []) {
    await fill(volume, join(directory, volume.name), pod.spec?.securityContext?.fsGroup, lookups);
  }
}

/** What of its pod's volumes a container sees, and where. Throws ConfigError. */
export function volumeMounts(pod: Pod, container: Container, directory: string): BindMount[] {
  const volumes = new Map((pod.spec?.volumes ?? []).map((volume) => [volume.name, volume]));
  const mounts = (container.volumeMounts ?? []).map((mount): BindMount => {
    const volume = volumes.get(mount.name);
    const target = plainPath(mount.mountPath) ?? mount.mountPath;
    if (volume === undefined) throw new ConfigError(`volumeMounts: there is no volume ${JSON.stringify(mount.name)}`);
    const writable = volume.emptyDir !== undefined;
    const part = mount.subPath ?? "";
    // In a volume that pods write to, a link could lead such a path out of it.
    if (part !== "" && writable)
      throw new ConfigError(`volumeMounts: subPath of the emptyDir ${mount.name} is not supported`);
    if (part !== "" && !plainPart(part))
      throw new ConfigError(`volumeMounts: subPath ${JSON.stringify(part)} must be relative, without ".."`);
    return { source: join(directory, mount.name, part), target, readOnly: !writable || mount.readOnly === true };
  });
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
