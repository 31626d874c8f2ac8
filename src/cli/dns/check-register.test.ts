import { doesNotThrow, throws } from "node:assert/strict";
import { test } from "node:test";
import type { DnsConfiguration } from "../../dns/configuration/configuration.ts";
import { usualBlock } from "../../dns/configuration/usual.ts";
import { ANY, type SocketAddress } from "../../dns/server/address.ts";
import { familyOf } from "../../net/ip.ts";
import { checkRegister } from "./check-register.ts";

const at = (...bind: string[]): DnsConfiguration => ({
  servers: [bind.length === 0 ? usualBlock : { ...usualBlock, bind }],
});
/** A machine that has these addresses. */
const machine =
  (...addresses: string[]) =>
  (listening: readonly SocketAddress[]): SocketAddress[] =>
    listening.flatMap(({ address, port }) =>
      ANY.includes(address)
        ? addresses.filter((each) => familyOf(each) === familyOf(address)).map((each) => ({ address: each, port }))
        : [{ address, port }],
    );

void test("one address of each family, or those that were chosen, are told to the cluster", () => {
  doesNotThrow(() => checkRegister(at(), machine("10.0.0.1", "fd00::1")));
  doesNotThrow(() => checkRegister(at("10.0.0.1", "172.17.0.1"), machine("10.0.0.1", "172.17.0.1")));
});

void test("several that were not chosen are refused by name, and so are those that no pod reaches", () => {
  throws(
    () => checkRegister(at(), machine("10.0.0.1", "172.17.0.1", "fd00::1")),
    /^UsageError: --register: DNS listens at every IPv4 address of this machine, which are 10\.0\.0\.1, 172\.17\.0\.1; name one/,
  );
  throws(
    () => checkRegister(at("127.0.0.1", "169.254.20.10"), machine("10.0.0.1")),
    /no pod reaches the addresses that DNS listens at, 127\.0\.0\.1, 169\.254\.20\.10; name one .* --listen ADDR:PORT/,
  );
  throws(() => checkRegister(at(), machine()), /no pod reaches the addresses that DNS listens at, 0\.0\.0\.0, ::; /);
});
