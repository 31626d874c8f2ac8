/** What of connection tracking is wanted; times in milliseconds, 0 and undefined leave as it is. Named as in KubeProxyConfiguration. */
export interface ConntrackSettings {
  readonly maxPerCore: number;
  readonly min: number;
  readonly tcpEstablishedTimeout: number;
  readonly tcpCloseWaitTimeout: number;
  readonly tcpBeLiberal: boolean;
  readonly udpTimeout: number;
  readonly udpStreamTimeout: number;
}

/** A setting of the kernel that should be another. `least`: any that is not smaller will do. */
export interface WantedSetting {
  readonly file: string;
  readonly value: number;
  readonly least?: boolean;
}

/** More connections than this are not made room for by the number of processors alone. */
const MOST = 1_048_576;

const sysctl = (name: string): string => `/proc/sys/net/netfilter/nf_conntrack_${name}`;
/** Of the whole machine, whatever the network namespace. */
const HASH_SIZE = "/sys/module/nf_conntrack/parameters/hashsize";

/** How many connections the table should have room for; 0: as it is. */
function roomFor({ maxPerCore, min }: ConntrackSettings, cpus: number): number {
  if (maxPerCore <= 0) return 0;
  const scaled = maxPerCore * cpus;
  return scaled > MOST ? MOST : Math.max(scaled, min);
}

/** PRX-209: what the settings ask of the kernel, in the order in which it is to be done. */
export function wantedSettings(settings: ConntrackSettings, cpus: number): WantedSetting[] {
  const room = roomFor(settings, cpus);
  const seconds = (name: string, milliseconds: number): WantedSetting[] => {
    const value = Math.trunc(milliseconds / 1000);
    return milliseconds > 0 ? [{ file: sysctl(name), value }] : [];
  };
  return [
    ...(room === 0
      ? []
      : [
          { file: sysctl("max"), value: room },
          { file: HASH_SIZE, value: Math.trunc(room / 4), least: true },
        ]),
    ...seconds("tcp_timeout_established", settings.tcpEstablishedTimeout),
    ...seconds("tcp_timeout_close_wait", settings.tcpCloseWaitTimeout),
    ...(settings.tcpBeLiberal ? [{ file: sysctl("tcp_be_liberal"), value: 1 }] : []),
    ...seconds("udp_timeout", settings.udpTimeout),
    ...seconds("udp_timeout_stream", settings.udpStreamTimeout),
  ];
}

export interface SettingFiles {
  /** The text of a file. */
  read(file: string): Promise<string>;
  write(file: string, text: string): Promise<void>;
}

/**
 * Makes the kernel's connection tracking as wanted. What cannot be written, on a read-only `/proc/sys` or in a network namespace that may
 * not say how large the table is, is told and left. Nothing is put back later: who sets these means the machine.
 */
export async function makeSettings(
  wanted: readonly WantedSetting[],
  files: SettingFiles,
  tell: (type: "Warning", reason: string, message: string) => void,
): Promise<void> {
  for (const { file, value, least } of wanted) {
    try {
      const is = Number((await files.read(file)).trim());
      if (is === value || (least === true && is > value)) continue;
      await files.write(file, String(value));
    } catch (error) {
      tell(
        "Warning",
        "ConntrackNotSet",
        `${file} should be ${value} and could not be set: ${(error as Error).message}`,
      );
    }
  }
}
