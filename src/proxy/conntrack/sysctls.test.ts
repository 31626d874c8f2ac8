import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import { makeSettings, wantedSettings, type ConntrackSettings } from "./sysctls.ts";

const HOUR = 3_600_000;
const defaults: ConntrackSettings = {
  maxPerCore: 32_768,
  min: 131_072,
  tcpEstablishedTimeout: 24 * HOUR,
  tcpCloseWaitTimeout: HOUR,
  tcpBeLiberal: false,
  udpTimeout: 0,
  udpStreamTimeout: 0,
};
const asText = (settings: Partial<ConntrackSettings>, cpus = 2): Record<string, number> =>
  Object.fromEntries(
    wantedSettings({ ...defaults, ...settings }, cpus).map(({ file, value }) => [
      file.replace("/proc/sys/net/netfilter/nf_conntrack_", "").replace("/sys/module/nf_conntrack/parameters/", ""),
      value,
    ]),
  );

test("PRX-209: the table's room follows the processors, with a floor and a ceiling, and not at all when maxPerCore is 0", () => {
  const times = { tcp_timeout_established: 86_400, tcp_timeout_close_wait: 3600 };
  deepEqual(asText({}), { max: 131_072, hashsize: 32_768, ...times });
  deepEqual(asText({}, 8), { max: 262_144, hashsize: 65_536, ...times });
  deepEqual(asText({}, 64), { max: 1_048_576, hashsize: 262_144, ...times });
  deepEqual(asText({ maxPerCore: 0 }), times);
});

test("PRX-209: be_liberal and the times of UDP are set only when configured", () => {
  const given = { maxPerCore: 0, tcpEstablishedTimeout: 0, tcpCloseWaitTimeout: 0 };
  deepEqual(asText(given), {});
  deepEqual(asText({ ...given, tcpBeLiberal: true, udpTimeout: 30_000, udpStreamTimeout: 180_000 }), {
    tcp_be_liberal: 1,
    udp_timeout: 30,
    udp_timeout_stream: 180,
  });
});

test("PRX-209: what is right is not written, a larger hash table stays, and a read-only file is a warning and no failure", async () => {
  const held = new Map([
    ["/proc/sys/net/netfilter/nf_conntrack_max", "131072\n"],
    ["/sys/module/nf_conntrack/parameters/hashsize", "65536\n"],
    ["/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established", "432000\n"],
    ["/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_close_wait", "60\n"],
  ]);
  const written: string[] = [];
  const told: string[] = [];
  await makeSettings(
    wantedSettings(defaults, 2),
    {
      read: async (file) => held.get(file)!,
      async write(file, text) {
        if (file.endsWith("established")) throw new Error("EROFS: read-only file system");
        written.push(`${file} ${text}`);
      },
    },
    (type, reason, message) => told.push(`${type} ${reason} ${message}`),
  );
  deepEqual(written, ["/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_close_wait 3600"]);
  equal(told.length, 1);
  match(told[0]!, /^Warning ConntrackNotSet .*established should be 86400 .*read-only/);
});
