import { deepEqual, equal } from "node:assert/strict";
import { PODS } from "../lab/network.ts";
import { clusterIP, service, slices } from "../lab/objects.ts";
import { same, type Group } from "./row.ts";
import { ownTest, type Table } from "./table.ts";
import { everyWay } from "./ways.ts";

/** A port of the pods where nobody listens. */
const DEAF = 8099;

/** ICMP about Service traffic, and to Services. */
export const ICMP: Group = {
  title: "errors of pods",
  cases: {
    deaf: {
      ...everyWay(72),
      slices: (name) =>
        slices(name, ["pod1", "pod3"]).map((slice) => ({
          ...slice,
          ports: slice.ports!.map((port) => ({ ...port, port: DEAF })),
        })),
    },
  },
  rows: (["clusterIP", "nodePort", "vip"] as const).map((to) => ({
    name: `PRX-076: the error of a pod without a listener reaches who called ${to}`,
    service: "deaf",
    to,
    expected: same("refused", ["pod2", "node", "client"]),
  })),
};

// An echo request by a raw socket: `reply`, or nothing within a second.
const PING = String.raw`
use Socket; my ($ip) = @ARGV; my $six = $ip =~ /:/;
socket(my $s, $six ? Socket::AF_INET6 : AF_INET, SOCK_RAW, $six ? 58 : 1) or die "socket: $!";
my $type = $six ? 128 : 8; my $head = pack("CCnnn", $type, 0, 0, 4711, 1);
unless ($six) { my $sum = 0; $sum += $_ for unpack("n*", $head); $head = pack("CCnnn", $type, 0, ~($sum + ($sum >> 16)) & 0xffff, 4711, 1); }
my $to = $six ? Socket::pack_sockaddr_in6(0, Socket::inet_pton(Socket::AF_INET6, $ip)) : pack_sockaddr_in(0, inet_aton($ip));
send($s, $head, 0, $to);
my $end = time + 1; $SIG{ALRM} = sub { print "nothing"; exit }; alarm 1;
while (1) { recv($s, my $data, 2048, 0); my $icmp = $six ? $data : substr($data, 20);
  if (ord($icmp) == ($six ? 129 : 0) && unpack("n", substr($icmp, 4)) == 4711) { print "reply"; exit } }
`;

/** A clusterIP is no address that can be pinged. */
export function pingTests(table: Table): void {
  for (const family of ["IPv4", "IPv6"] as const) {
    const pingAll = async (): Promise<string[]> => {
      const network = table.network();
      const carried = table.carry();
      carried.set(service("echo", 73), slices("echo", ["pod1"]));
      await carried.apply();
      const ping = async (place: "pod2" | "node" | "client", ip: string): Promise<string> =>
        (await network.at(place).check("perl", ["-e", PING, ip])).stdout;
      equal(await ping("client", PODS.pod1[family]), "reply", "a pod itself answers");
      const places = ["pod2", "node", "client"] as const;
      return Promise.all(places.map((place) => ping(place, clusterIP(73, family))));
    };
    ownTest(
      table,
      `PRX-075: an ICMP echo to a clusterIP is never answered (${family})`,
      undefined,
      async () => deepEqual(await pingAll(), Array(3).fill("nothing")),
      {
        name: `an ICMP echo to a clusterIP is answered by the node (${family})`,
        run: async () => deepEqual(await pingAll(), Array(3).fill("reply")),
      },
    );
  }
}
