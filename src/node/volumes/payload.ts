import type { Container, DownwardAPIVolumeFile, KeyToPath, Pod, VolumeProjection } from "../../api/generated/types.ts";
import { fieldValue, type PodPlace } from "../environment/field-ref.ts";
import { ConfigError, dataOf, type Lookups } from "../environment/lookups.ts";
import { resourceValue } from "../environment/resource-ref.ts";
import { plainPart } from "./plain-path.ts";

/** A file of a volume that is filled from the API. */
export interface PayloadFile {
  readonly content: Buffer;
  readonly mode: number;
}

/** The files of such a volume by their paths within it. */
export type Payload = ReadonlyMap<string, PayloadFile>;

/** A token for the pod's ServiceAccount; until when it is worth keeping is the source's own business. */
export type TokenSource = (audience: string | undefined, seconds: number) => Promise<string>;

/** From what a payload is put together. */
export interface PayloadSources {
  readonly pod: Pod;
  readonly place: PodPlace;
  readonly lookups: Lookups;
  readonly token: TokenSource;
}

/** 0644: what a file has that names no mode of its own. */
const MODE = 0o644;
/** A token's life where the pod does not say, in seconds. */
const TOKEN_SECONDS = 3600;
/** A `resourceFieldRef` in a volume names its container. */
const NO_CONTAINER: Pick<Container, "name"> = { name: "" };

type Files = [path: string, file: PayloadFile][];

/** Which keys become which files, and with which mode. */
function keyFiles(
  data: Readonly<Record<string, Buffer>>,
  items: readonly KeyToPath[] | undefined,
  mode: number,
  optional: boolean,
): Files {
  if (items === undefined || items.length === 0) {
    return Object.entries(data).map(([path, content]) => [path, { content, mode }]);
  }
  return items.flatMap((item): Files => {
    const content = data[item.key];
    if (content === undefined && optional) return [];
    if (content === undefined) throw new ConfigError(`references non-existent config key: ${item.key}`);
    return [[item.path, { content, mode: item.mode ?? mode }]];
  });
}

async function fromObject(
  sources: PayloadSources,
  kind: "configMap" | "secret",
  source: {
    readonly name: string | undefined;
    readonly items?: readonly KeyToPath[] | undefined;
    readonly optional?: boolean | undefined;
  },
  mode: number,
): Promise<Files> {
  const data = (await dataOf(sources.lookups, kind, source.name, source.optional)) ?? {};
  return keyFiles(data, source.items, mode, source.optional === true);
}

function fromPod({ pod, place }: PayloadSources, items: readonly DownwardAPIVolumeFile[], mode: number): Files {
  return items.map((item) => {
    let text: string | undefined;
    if (item.resourceFieldRef !== undefined) {
      text = resourceValue(pod, NO_CONTAINER, place.allocatable, item.resourceFieldRef);
    } else {
      const path = item.fieldRef?.fieldPath ?? "";
      text = fieldValue(pod, place, path);
      if (text === undefined) throw new ConfigError(`downwardAPI: fieldPath ${JSON.stringify(path)} is not supported`);
    }
    return [item.path, { content: Buffer.from(text), mode: item.mode ?? mode }];
  });
}

async function fromProjection(sources: PayloadSources, projection: VolumeProjection, mode: number): Promise<Files> {
  const { configMap, secret, downwardAPI, serviceAccountToken } = projection;
  if (configMap !== undefined) return fromObject(sources, "configMap", { ...configMap, name: configMap.name }, mode);
  if (secret !== undefined) return fromObject(sources, "secret", { ...secret, name: secret.name }, mode);
  if (downwardAPI !== undefined) return fromPod(sources, downwardAPI.items ?? [], mode);
  if (serviceAccountToken !== undefined) {
    const { audience, expirationSeconds, path } = serviceAccountToken;
    const token = await sources.token(audience || undefined, expirationSeconds ?? TOKEN_SECONDS);
    return [[path, { content: Buffer.from(token), mode }]];
  }
  const kind = Object.keys(projection)[0] ?? "nothing";
  throw new ConfigError(
    `${kind} is not supported in a projected volume here; configMap, secret, downwardAPI and serviceAccountToken are`,
  );
}

type FilledVolume = Pick<
  NonNullable<NonNullable<Pod["spec"]>["volumes"]>[number],
  "name" | "configMap" | "secret" | "downwardAPI" | "projected"
>;

/** True for a volume whose files come from the API. */
export const isFilled = (volume: FilledVolume): boolean =>
  (volume.configMap ?? volume.secret ?? volume.downwardAPI ?? volume.projected) !== undefined;

/** What a configMap, secret, downwardAPI or projected volume holds now. Throws ConfigError for what is missing or leads out of it. */
export async function payloadOf(volume: FilledVolume, sources: PayloadSources): Promise<Payload> {
  const { configMap, secret, downwardAPI, projected } = volume;
  let files: Files = [];
  if (configMap !== undefined) {
    files = await fromObject(
      sources,
      "configMap",
      { ...configMap, name: configMap.name },
      configMap.defaultMode ?? MODE,
    );
  } else if (secret !== undefined) {
    files = await fromObject(sources, "secret", { ...secret, name: secret.secretName }, secret.defaultMode ?? MODE);
  } else if (downwardAPI !== undefined) {
    files = fromPod(sources, downwardAPI.items ?? [], downwardAPI.defaultMode ?? MODE);
  } else {
    // In their order: of two files at one path the later one is there.
    for (const projection of projected?.sources ?? []) {
      files.push(...(await fromProjection(sources, projection, projected?.defaultMode ?? MODE)));
    }
  }
  const payload = new Map<string, PayloadFile>();
  for (const [path, file] of files) {
    const plain = plainPart(path);
    // A name with two dots at its start would meet those that an update is swapped in by.
    if (plain === undefined || plain.startsWith("..")) {
      throw new ConfigError(`volume ${volume.name}: ${JSON.stringify(path)} must be a relative path without ".."`);
    }
    payload.set(plain, file);
  }
  return payload;
}

/** The names of the ConfigMaps and Secrets that a filled volume is filled from. */
export function objectsOf(volume: FilledVolume): { kind: "configMap" | "secret"; name: string }[] {
  const { configMap, secret, projected } = volume;
  const named = [
    { kind: "configMap" as const, name: configMap?.name },
    { kind: "secret" as const, name: secret?.secretName },
    ...(projected?.sources ?? []).flatMap((source) => [
      { kind: "configMap" as const, name: source.configMap?.name },
      { kind: "secret" as const, name: source.secret?.name },
    ]),
  ];
  return named.filter((one): one is { kind: "configMap" | "secret"; name: string } => !!one.name);
}
