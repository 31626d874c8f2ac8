import assert from "node:assert/strict";
import { test } from "node:test";
import * as names from "./names.ts";

const a63 = "a".repeat(63);
const cases: [check: names.NameCheck, good: string[], bad: [value: string, why: RegExp][]][] = [
  [
    names.checkLabel,
    ["a", "1a", "a-b", a63],
    [
      ["A", /lowercase RFC 1123 label/],
      ["a_b", /RFC 1123 label/],
      ["a.b", /must not contain dots/],
      ["-a", /RFC 1123 label/],
      ["a-", /RFC 1123 label/],
      ["", /RFC 1123 label/],
      [`${a63}a`, /must be no more than 63 characters/],
      ["a\n", /RFC 1123 label/],
    ],
  ],
  [names.checkLabel1035, ["a1"], [["1a", /DNS-1035 label/]]],
  [
    names.checkSubdomain,
    ["a", "a.b", "1.2.3.4"],
    [
      ["a..b", /RFC 1123 subdomain/],
      ["a.", /RFC 1123 subdomain/],
      ["a.".repeat(126) + "ab", /no more than 253/],
    ],
  ],
  [
    names.checkFqdn,
    ["a.b", "a.b."],
    [
      ["a", /at least two segments/],
      ["", /must not be empty/],
      ["A.b", /subdomain/],
    ],
  ],
  [
    names.checkQualifiedName,
    ["a", "A.b_c-1", "x.io/Name"],
    [
      ["", /name part must be non-empty/],
      ["/a", /prefix part must be non-empty/],
      ["X/a", /prefix part a lowercase RFC 1123 subdomain/],
      ["a/b/c", /a valid label key must consist/],
      ["-a", /name part must consist/],
      [`${a63}a`, /name part must be no more than 63 bytes/],
    ],
  ],
  [
    names.checkLabelValue,
    ["", "A_b.c"],
    [
      ["-", /a valid label must be an empty string or/],
      [`${a63}a`, /no more than 63/],
    ],
  ],
  [
    names.checkPortName,
    ["http", "a-1"],
    [
      ["a".repeat(16), /no more than 15 characters/],
      ["A", /must contain only alpha-numeric characters \(a-z, 0-9\), and hyphens \(-\)/],
      ["80", /at least one letter/],
      ["a--b", /consecutive hyphens/],
      ["a-", /begin or end with a hyphen/],
    ],
  ],
  [
    names.checkConfigKey,
    ["a.b", "..a".slice(1), "A_B"],
    [
      ["..", /must not be '\.\.'/],
      [".", /must not be '\.'/],
      ["..a", /must not start with/],
      ["a/b", /valid config key/],
    ],
  ],
  [
    names.checkEnvName,
    ["A", "a.b", "1 x"],
    [
      ["", /environment variable name/],
      ["a=b", /other than '='/],
      ["é", /printable ASCII/],
    ],
  ],
];

for (const [check, good, bad] of cases) {
  for (const value of good) void test(`${check.name} takes ${value}`, () => assert.deepEqual(check(value), []));
  for (const [value, why] of bad) {
    void test(`${check.name} refuses ${JSON.stringify(value)}`, () => assert.match(check(value).join("; "), why));
  }
}

void test("SVC-056: a port name has one reason for each rule it breaks", () => {
  assert.equal(names.checkPortName("--9").length, 3);
});
