import type { Container } from "../../../api/generated/types.ts";

/** What a container of root's has in every container runtime of today (containerd, CRI-O and Docker agree but for one or two). */
const USUAL = [
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "NET_RAW",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
];

/** All of linux/capability.h, by their numbers. */
const ALL = [
  ..."CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE".split(" "),
  ..."NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT".split(" "),
  ..."SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE".split(" "),
  ..."AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ".split(" "),
  ..."PERFMON BPF CHECKPOINT_RESTORE".split(" "),
];

const plain = (name: string): string => name.toUpperCase().replace(/^CAP_/, "");

const listed = (container: Container, side: "add" | "drop"): string[] =>
  (container.securityContext?.capabilities?.[side] ?? []).map(plain);

/**
 * The first capability that a container asks for beyond what containers usually have; undefined where it asks for none. Those
 * that are usual do nothing for a program that is not root's: in Kubernetes neither.
 */
export const beyondUsual = (container: Container): string | undefined =>
  listed(container, "add").find((name) => !USUAL.includes(name));

/** The first word that is no capability; undefined where all are. */
export const unknownCapability = (container: Container): string | undefined =>
  [...listed(container, "add"), ...listed(container, "drop")].find((name) => name !== "ALL" && !ALL.includes(name));

/** What a container of this user has, without `CAP_`: none unless it is root's. `held` is what we have to give. */
export function capabilitiesOf(container: Container, user: number, held: bigint): string[] {
  if (user !== 0) return [];
  const [add, drop] = [listed(container, "add"), listed(container, "drop")];
  const wanted = new Set(container.securityContext?.privileged === true || add.includes("ALL") ? ALL : USUAL);
  if (drop.includes("ALL")) wanted.clear();
  for (const name of drop) wanted.delete(name);
  for (const name of add.includes("ALL") ? ALL.filter((each) => !drop.includes(each)) : add) wanted.add(name);
  return ALL.filter((name, number) => wanted.has(name) && ((held >> BigInt(number)) & 1n) === 1n);
}
