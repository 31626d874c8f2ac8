import assert from "node:assert/strict";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { HostsOptions } from "../../src/dns/configuration/configuration.ts";
import { until } from "../lab/until.ts";
import { answer, resolver } from "./resolver.ts";
import { running } from "./running.ts";

const usual: HostsOptions = { inline: [], ttl: 3600, noReverse: false, reload: 5000, fallthrough: [] };

void test("names from a hosts block come before the cluster's and those outside, over UDP and TCP", async (t) => {
  const upstream = await resolver(t, (query) => [answer(query, ["192.0.2.80"])]);
  const inline = [
    "192.0.2.1 a.test b.test",
    "192.0.2.2 a.test",
    "2001:db8::1 a.test",
    "192.0.2.9 svc1.testns.svc.cluster.local",
  ];
  const { dns, dig } = await running(t, {
    upstreams: [upstream.address],
    block: { hosts: { ...usual, inline, ttl: 77, fallthrough: [""] } },
  });
  await dns.synced();
  for (const transport of ["+notcp", "+tcp"]) {
    const found = await dig(transport, "A.test");
    assert.match(found, /flags: qr aa rd/);
    assert.match(found, /^A\.test\.\s+77\s+IN\s+A\s+192\.0\.2\.1$/m);
    assert.match(found, /ANSWER: 2,/);
    assert.equal(await dig(transport, "+short", "a.test", "AAAA"), "2001:db8::1");
    assert.equal(await dig(transport, "+short", "-x", "192.0.2.1"), "a.test.\nb.test.");
    assert.match(await dig(transport, "b.test", "AAAA"), /status: NOERROR[^]*ANSWER: 0/);
    assert.equal(await dig(transport, "+short", "svc1.testns.svc.cluster.local"), "192.0.2.9");
    assert.equal(await dig(transport, "+short", "c.test"), "192.0.2.80");
    assert.equal(await dig(transport, "+short", "-x", "10.0.0.1"), "svc1.testns.svc.cluster.local.");
  }
});

void test("without fallthrough a name in the zones that is not there fails; others go on", async (t) => {
  const upstream = await resolver(t, (query) => [answer(query, ["192.0.2.80"])]);
  const { dns, dig } = await running(t, {
    upstreams: [upstream.address],
    block: { hosts: { ...usual, inline: ["192.0.2.1 a.test"], zones: ["test"] } },
  });
  await dns.synced();
  assert.match(await dig("b.test"), /status: SERVFAIL/);
  assert.equal(await dig("+short", "a.test"), "192.0.2.1");
  assert.equal(await dig("+short", "example.com"), "192.0.2.80");
});

void test("a file that is changed, put in another's place or removed shows at once, whatever was answered before", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "dns-hosts-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "hosts");
  await writeFile(file, "192.0.2.1 a.test\n");
  const { dns, dig } = await running(t, { block: { hosts: { ...usual, file, reload: 20 } } });
  await dns.synced();
  const is = (expected: string) => until(expected, async () => (await dig("+short", "a.test")) === expected);
  await is("192.0.2.1");
  await writeFile(file, "192.0.2.22 a.test\n");
  await is("192.0.2.22");
  await writeFile(`${file}.new`, "192.0.2.33 a.test\n");
  await rename(`${file}.new`, file);
  await is("192.0.2.33");
  await rm(file);
  await writeFile(file, "192.0.2.44 a.test\n");
  await is("192.0.2.44");
});

void test("a file that is not there is no obstacle: it is read as soon as it is", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "dns-hosts-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "hosts");
  const { dns, dig } = await running(t, { block: { hosts: { ...usual, file, reload: 20 } } });
  await dns.synced();
  assert.match(await dig("a.test"), /status: SERVFAIL/);
  await writeFile(file, "192.0.2.1 a.test\n");
  await until("its name", async () => (await dig("+short", "a.test")) === "192.0.2.1");
});
