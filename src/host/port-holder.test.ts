import assert from "node:assert/strict";
import { endianness } from "node:os";
import { describe, test } from "node:test";
import { socketsOn } from "./port-holder.ts";

const HEAD =
  "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n";
const line = (local: string, state: string, inode: number): string =>
  ` 1153: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 2 0000000000000000 0\n`;

void describe("whose sockets keep others off a port", { skip: endianness() === "BE" }, () => {
  const udp =
    HEAD + line("00000000:0035", "07", 11) + line("0100F40A:0035", "07", 12) + line("0100F40A:0036", "07", 13);

  void test("just this address comes before every address, another port not at all", () => {
    assert.deepEqual(socketsOn(udp, "UDP", "10.244.0.1", 53), ["12", "11"]);
    assert.deepEqual(socketsOn(udp, "UDP", "10.244.0.2", 53), ["11"]);
    assert.deepEqual(socketsOn(udp, "UDP", "10.244.0.2", 54), []);
  });

  void test("every address is kept by any of its family", () => {
    assert.deepEqual(socketsOn(udp, "UDP", "0.0.0.0", 53), ["11", "12"]);
    const udp6 =
      HEAD +
      line("000000FD440200000000000001000000:0035", "07", 31) +
      line("0000000000000000FFFF00000100F40A:0035", "07", 32);
    assert.deepEqual(socketsOn(udp6, "UDP", "::", 53), ["31"]);
    assert.deepEqual(socketsOn(udp6, "UDP", "0.0.0.0", 53), ["32"]);
  });

  void test("of TCP only a socket that listens", () => {
    const tcp =
      HEAD + line("0100F40A:0035", "01", 21) + line("0100F40A:0035", "0A", 22) + line("0100F40A:0035", "06", 0);
    assert.deepEqual(socketsOn(tcp, "TCP", "10.244.0.1", 53), ["22"]);
  });

  void test("IPv6 addresses, and IPv4 ones of a socket for both families", () => {
    const udp6 =
      HEAD +
      line("000000FD440200000000000001000000:0035", "07", 31) +
      line("0000000000000000FFFF00000100F40A:0035", "07", 32) +
      line("00000000000000000000000000000000:0035", "07", 33);
    assert.deepEqual(socketsOn(udp6, "UDP", "fd:0:2:44::1", 53), ["33"]);
    assert.deepEqual(socketsOn(udp6, "UDP", "fd00:0:0:244::1", 53), ["31", "33"]);
    assert.deepEqual(socketsOn(udp6, "UDP", "10.244.0.1", 53), ["32", "33"]);
  });
});
