/**
 * The 32 bits that a packet's priority carries between two lookups of one hook, and the words nft has for them.
 *
 * bits 31…14  number of the Service port
 * bit  13     the Local list rather than the Cluster list
 * bits 12…2   number of the shape, and bits 1…0 the masquerade kind, until the list is known;
 * bits 12…0   then the number of an endpoint (only Service ports with affinity have those; 0 is the list itself)
 */
export const PORT_SHIFT = 14;
export const LOCAL_BIT = 0x2000;
/** One less than would fit: nft has another word for a priority of all ones. */
export const MAX_PORT_NUMBER = 2 ** 18 - 2;
export const MAX_SHAPE = 2047;
export const MAX_ENDPOINT = 8191;

/** Leaves the list. */
export const LIST_MASK = "0xffffe000";
/** Leaves the Service port. */
export const PORT_MASK = "0xffffc000";
/** Leaves the shape. */
export const SHAPE_MASK = "0x00001ffc";
/** Leaves the masquerade kind. */
export const KIND_MASK = "0x00000003";

/** How a source is treated: masqueraded unless it is a pod's, always, never. */
export const MASQUERADE = { unlessPod: 0, always: 1, never: 2 } as const;
export type Masquerade = (typeof MASQUERADE)[keyof typeof MASQUERADE];

export type ListName = "all" | "local";

/** As `nft list` prints a priority, so that what is read back can be compared with what was written. */
export const priorityText = (number: number): string =>
  number === 0 ? "none" : `${(number >>> 16).toString(16)}:${(number & 0xffff).toString(16)}`;

export function priorityNumber(text: string): number {
  if (text === "none") return 0;
  const [major = "", minor = ""] = text.split(":");
  return (Number.parseInt(major || "0", 16) * 0x10000 + Number.parseInt(minor || "0", 16)) >>> 0;
}

export const listNumber = (port: number, list: ListName): number =>
  ((port << PORT_SHIFT) | (list === "local" ? LOCAL_BIT : 0)) >>> 0;

/** What a way in leads to. */
export const entranceNumber = (port: number, list: ListName, shape: number, masquerade: Masquerade): number =>
  (listNumber(port, list) | (shape << 2) | masquerade) >>> 0;
