import type { PersistentVolumeClaim } from "../../generated/types.ts";
import { count, NANO, parseQuantity, type Quantity } from "../../meta/quantity.ts";

const COUNT = "persistentvolumeclaims";
const STORAGE = "requests.storage";
/** What follows the name of a class, where a quota is about the claims of that class alone. */
const OF_CLASS = ".storageclass.storage.k8s.io/";

const CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class";

/** Whether claims count under a name of a quota, beside `count/persistentvolumeclaims`. */
export const isClaimName = (name: string): boolean =>
  [COUNT, STORAGE].some((word) => name === word || name.endsWith(`${OF_CLASS}${word}`));

/** A quota has no use for half a byte. */
const whole = ({ nano, format }: Quantity): Quantity => ({ nano: ((nano + NANO - 1n) / NANO) * NANO, format });

/** What is asked for, or what has been given while that was more. */
function storageOf({ spec, status }: PersistentVolumeClaim): Quantity | undefined {
  const text = spec?.resources?.requests?.["storage"];
  if (text === undefined) return undefined;
  const asked = whole(parseQuantity(text));
  const given = whole(parseQuantity(status?.allocatedResources?.["storage"] ?? "0"));
  return given.nano > asked.nano ? given : asked;
}

/** What a claim counts for: itself and its size, in all and within its class. */
export function claimUsage(claim: PersistentVolumeClaim): [name: string, amount: Quantity][] {
  const storage = storageOf(claim);
  const className = claim.metadata.annotations?.[CLASS_ANNOTATION] ?? claim.spec?.storageClassName ?? "";
  const counted: [string, Quantity][] = [
    [COUNT, count(1)],
    ...(storage === undefined ? [] : [[STORAGE, storage] as [string, Quantity]]),
  ];
  if (className === "") return counted;
  return [
    ...counted,
    ...counted.map(([name, amount]): [string, Quantity] => [`${className}${OF_CLASS}${name}`, amount]),
  ];
}

/** The classes of attributes that a claim has, is to have, or is being given. */
export const attributesClassesOf = ({ spec, status }: PersistentVolumeClaim): string[] =>
  [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ].filter((name): name is string => name !== undefined && name !== "");
