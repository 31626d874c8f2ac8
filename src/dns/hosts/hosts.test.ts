import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HostsOptions } from "../configuration/configuration.ts";
import { TYPE } from "../names/record.ts";
import { createHosts, type HostsText } from "./hosts.ts";

const usual: HostsOptions = { inline: [], ttl: 3600, noReverse: false, reload: 5000, fallthrough: [] };

function hosts(lines: readonly string[], options: Partial<HostsOptions> = {}, zones: readonly string[] = [""]) {
  const source = createHosts(
    { ...usual, inline: lines, ...options },
    zones,
    { read: () => undefined, watch: () => () => {} },
    () => {},
  );
  /** The data of the answer, `nothing`, `SERVFAIL`, or `elsewhere`. */
  return (name: string, type: number = TYPE.A): string => {
    const found = source.lookup(name.split("."), type);
    if (found === undefined) return "elsewhere";
    if (found.answer.rcode !== 0) return "SERVFAIL";
    const data = found.answer.answers.map((record) =>
      "address" in record ? record.address : "target" in record ? record.target : "?",
    );
    return data.join(" ") || "nothing";
  };
}

void describe("names from hosts files", () => {
  void test("addresses of both families, in the order of the lines; comments, case and final dots aside", () => {
    const ask = hosts([
      "# one",
      "192.0.2.1\tA.Test a  # and so on",
      "192.0.2.2 a.test.",
      "2001:DB8:0::1 a.test",
      "fe80::1%lo0 scoped.test",
      "::ffff:192.0.2.9 mapped.test",
    ]);
    assert.equal(ask("a.test"), "192.0.2.1 192.0.2.2");
    assert.equal(ask("a"), "192.0.2.1");
    assert.equal(ask("a.test", TYPE.AAAA), "2001:db8::1");
    assert.equal(ask("scoped.test", TYPE.AAAA), "fe80::1");
    assert.equal(ask("mapped.test"), "192.0.2.9");
  });

  void test("a name that is here has nothing of other types; one that is not is a failure, or may be elsewhere", () => {
    const lines = ["192.0.2.1 a.test"];
    assert.equal(hosts(lines)("a.test", TYPE.AAAA), "nothing");
    assert.equal(hosts(lines)("a.test", TYPE.TXT), "nothing");
    assert.equal(hosts(lines)("b.test"), "SERVFAIL");
    assert.equal(hosts(lines, { fallthrough: [""] })("b.test"), "elsewhere");
    assert.equal(hosts(lines, { fallthrough: ["test"] })("b.test"), "elsewhere");
    assert.equal(hosts(lines, { fallthrough: ["other"] })("b.test"), "SERVFAIL");
  });

  void test("reverse names, all of an address, whatever the zones; but not where they are unwanted", () => {
    const lines = ["192.0.2.1 a.test b.test", "2001:db8::1 c.test", "192.0.2.1 a.test"];
    const nibbles = `1.${"0.".repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa`;
    const ask = hosts(lines, {}, ["test"]);
    assert.equal(ask("1.2.0.192.in-addr.arpa", TYPE.PTR), "a.test b.test");
    assert.equal(ask(nibbles, TYPE.PTR), "c.test");
    assert.equal(ask("2.2.0.192.in-addr.arpa", TYPE.PTR), "elsewhere");
    assert.equal(hosts(lines, { noReverse: true })("1.2.0.192.in-addr.arpa", TYPE.PTR), "elsewhere");
  });

  void test("only names in the zones: the block's, or those that are set", () => {
    const lines = ["192.0.2.1 a.test", "192.0.2.2 a.other", "192.0.2.3 x.sub.test"];
    assert.equal(hosts(lines, {}, ["test"])("a.other"), "elsewhere");
    assert.equal(hosts(lines, { zones: ["other", "sub.test"] })("a.test"), "elsewhere");
    assert.equal(hosts(lines, { zones: ["other", "sub.test"] })("x.sub.test"), "192.0.2.3");
    assert.equal(hosts(lines, {}, ["test"])("2.2.0.192.in-addr.arpa", TYPE.PTR), "elsewhere");
  });

  void test("a name with * stands for one label, behind names of their own, and has no reverse", () => {
    const ask = hosts(["192.0.2.1 *.a.test", "192.0.2.2 b.a.test"]);
    assert.equal(ask("x.a.test"), "192.0.2.1");
    assert.equal(ask("b.a.test"), "192.0.2.2");
    assert.equal(ask("x.y.a.test"), "SERVFAIL");
    assert.equal(ask("1.2.0.192.in-addr.arpa", TYPE.PTR), "elsewhere");
  });

  void test("lines and names that mean nothing are passed over, the others on the line are not", () => {
    const long = "x".repeat(64);
    const ask = hosts([
      "",
      "192.0.2.300 a.test",
      "nonsense",
      "192.0.2.1",
      `192.0.2.2 ${long}.test b.test -.test`,
      "\u0000 c",
    ]);
    assert.equal(ask("a.test"), "SERVFAIL");
    assert.equal(ask("b.test"), "192.0.2.2");
    assert.equal(ask(`${long}.test`), "SERVFAIL");
  });

  void test("a file is read anew when it changed, and answers given before are dropped; one that has gone still holds", () => {
    let file: HostsText | undefined = { text: "192.0.2.1 a.test", stamp: "1" };
    let look = (): void => {};
    const dropped: string[] = [];
    const source = createHosts(
      { ...usual, file: "/hosts", inline: ["192.0.2.9 a.test", "192.0.2.9 b.test"] },
      [""],
      {
        read: (_path, last) => (file?.stamp === last?.stamp ? undefined : file),
        watch: (_path, _every, callback) => {
          look = callback;
          return () => (look = () => {});
        },
      },
      (words) => dropped.push(...words),
    );
    const ask = (name: string): string[] =>
      source
        .lookup(name.split("."), TYPE.A)!
        .answer.answers.map((record) => ("address" in record ? record.address : ""));
    assert.deepEqual(ask("a.test"), ["192.0.2.1", "192.0.2.9"]);
    const before = dropped.length;
    look();
    assert.equal(dropped.length, before);
    file = { text: "192.0.2.2 a.test", stamp: "2" };
    look();
    assert.deepEqual([ask("a.test"), ask("b.test")], [["192.0.2.2", "192.0.2.9"], ["192.0.2.9"]]);
    assert.deepEqual(dropped.slice(before), ["hosts"]);
    assert.deepEqual(source.lookup(["a", "test"], TYPE.A)!.depends, ["hosts"]);
    file = undefined;
    look();
    assert.deepEqual(ask("a.test"), ["192.0.2.2", "192.0.2.9"]);
  });
});
