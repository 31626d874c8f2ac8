import assert from "node:assert/strict";
import { test } from "node:test";
import { checkCanonicalCidr, checkCanonicalIP, checkCidr, checkIP, lenientIP, specialRange } from "./ip.ts";

const say = (faults: string[]): string => faults.join("; ");
const table: [check: (text: string) => string[], text: string, why: string | RegExp][] = [
  [checkIP, "10.0.0.1", ""],
  [checkIP, "2001:DB8::1", ""],
  [checkIP, "010.1.1.1", /leading 0s/],
  [checkIP, "::ffff:1.2.3.4", /IPv4-mapped/],
  [checkIP, "::ffff:102:304", /IPv4-mapped/],
  [checkIP, "fe80::1%eth0", /valid IP address/],
  [checkIP, "300.1.1.1", /valid IP address/],
  [checkIP, "none", /valid IP address/],
  [checkCanonicalIP, "2001:db8::1", ""],
  [checkCanonicalIP, "2001:DB8::1", /canonical form \("2001:db8::1"\)/],
  [checkCanonicalIP, "2001:db8:0:0::1", /canonical form/],
  [checkCidr, "10.0.0.0/24", ""],
  [checkCidr, "10.0.0.1/24", /bits set beyond the prefix/],
  [checkCidr, "10.0.0.0/08", /leading 0s/],
  [checkCidr, "10.0.0.0", /valid CIDR value/],
  [checkCidr, "10.0.0.0/33", /valid CIDR value/],
  [checkCidr, "::ffff:10.0.0.0/120", /IPv4-mapped/],
  [checkCidr, "2001:DB8::/64", ""],
  [checkCanonicalCidr, "2001:DB8::/64", /canonical form/],
  [specialRange, "10.0.0.1", ""],
  [specialRange, "0.0.0.0", /unspecified/],
  [specialRange, "::", /unspecified/],
  [specialRange, "127.0.0.1", /loopback/],
  [specialRange, "::1", /loopback/],
  [specialRange, "169.254.1.1", /link-local range/],
  [specialRange, "fe80::1", /link-local range/],
  [specialRange, "febf::1", /link-local range/],
  [specialRange, "fec0::1", ""],
  [specialRange, "224.0.0.1", /link-local multicast/],
  [specialRange, "224.0.1.1", ""],
  [specialRange, "ff02::1", /link-local multicast/],
];

for (const [check, text, why] of table) {
  void test(`SVC-081: ${check.name}(${text}) says ${String(why) || "nothing"}`, () => {
    if (typeof why === "string") assert.equal(say(check(text)), why);
    else assert.match(say(check(text)), why);
  });
}

void test("values of older servers are still read", () => {
  assert.equal(lenientIP("010.001.1.1"), "10.1.1.1");
  assert.equal(lenientIP("::ffff:1.2.3.4"), "1.2.3.4");
  assert.equal(lenientIP("1.2.3"), undefined);
});
