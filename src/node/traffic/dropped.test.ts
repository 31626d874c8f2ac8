import assert from "node:assert/strict";
import { test } from "node:test";
import { droppedInWords, keyOfTrial, type Trial } from "./dropped.ts";

const toPod: Trial = {
  hook: "forward",
  from: "10.244.0.2",
  whom: "another pod",
  to: { ip: "10.244.0.3", port: 40123 },
  fate: "answered",
};
const toPod6: Trial = { ...toPod, from: "fd00:10:244::2", to: { ip: "fd00:10:244::3", port: 40124 } };
const toService: Trial = {
  hook: "input",
  from: "10.244.0.2",
  whom: "the Service default/kubernetes",
  to: { ip: "10.96.0.1", port: 443 },
  fate: "answered",
};

test("nothing is said of connections that were answered", () => {
  assert.deepEqual(droppedInWords([toPod, toPod6, toService]), []);
});

test("silence between pods: what was tried, who probably drops it, and the commands for both sides of a forward chain", () => {
  assert.deepEqual(droppedInWords([{ ...toPod, fate: "silence" }, toPod6, toService]), [
    "a connection from a pod (10.244.0.2) to another pod (TCP 10.244.0.3:40123) was not answered within 5 s: " +
      "a rule that is not Fairlead's probably drops what this machine forwards (Docker, ufw and firewalld set that to drop); " +
      "let it accept interfaces whose name begins with fl: " +
      "iptables -I FORWARD -i fl+ -j ACCEPT; iptables -I FORWARD -o fl+ -j ACCEPT; " +
      "or, where its rules are nft's own, with its chain of 'hook forward': " +
      `nft 'insert rule FAMILY TABLE CHAIN iifname "fl*" accept'; nft 'insert rule FAMILY TABLE CHAIN oifname "fl*" accept'`,
  ]);
});

test("a Service whose endpoint is this machine: its input is what must accept", () => {
  const [said, ...more] = droppedInWords([toPod, { ...toService, fate: "ECONNREFUSED" }]);
  assert.deepEqual(more, []);
  assert.equal(
    said,
    "a connection from a pod (10.244.0.2) to the Service default/kubernetes (TCP 10.96.0.1:443) was refused: " +
      "a rule that is not Fairlead's probably rejects what comes to this machine from its pods (ufw and firewalld do); " +
      "let it accept interfaces whose name begins with fl: iptables -I INPUT -i fl+ -j ACCEPT; " +
      `or, where its rules are nft's own, with its chain of 'hook input': nft 'insert rule FAMILY TABLE CHAIN iifname "fl*" accept'`,
  );
});

test("families that fail together are one sentence; one that fails alone has its own tool, and an error its name", () => {
  const both = droppedInWords([
    { ...toPod, fate: "silence" },
    { ...toPod6, fate: "silence" },
    { ...toService, fate: "silence" },
  ]);
  assert.equal(both.length, 2);
  assert.match(both[0]!, /10\.244\.0\.3:40123.*, and .*\[fd00:10:244::3\]:40124/);
  assert.match(both[0]!, /iptables -I FORWARD -o fl\+ -j ACCEPT; ip6tables -I FORWARD -i fl\+ -j ACCEPT/);
  const [six] = droppedInWords([toPod, { ...toPod6, fate: "EACCES" }]);
  assert.match(six!, /was refused \(EACCES\).*rejects.*: ip6tables -I FORWARD/);
  assert.doesNotMatch(six!, / iptables/);
});

test("every sentence fits into an Event, with the longest addresses there are", () => {
  const long = "fd00:1111:2222:3333:4444:5555:6666:7777";
  const trials = (["forward", "input"] as const).flatMap((hook) => [
    { ...toPod, hook, whom: toService.whom, from: "255.255.255.255", to: { ip: "255.255.255.255", port: 65535 } },
    { ...toPod, hook, whom: toService.whom, from: long, to: { ip: long, port: 65535 } },
  ]);
  for (const fate of ["silence", "EHOSTUNREACH"] as const) {
    for (const said of droppedInWords(trials.map((trial) => ({ ...trial, fate })))) {
      assert.ok(Buffer.byteLength(said) <= 1024, `${said.length}: ${said}`);
    }
  }
});

test("other addresses and ports are the same news, another fate is not", () => {
  assert.equal(keyOfTrial(toPod), keyOfTrial({ ...toPod, from: "10.244.0.9", to: { ip: "10.244.0.8", port: 1 } }));
  assert.notEqual(keyOfTrial(toPod), keyOfTrial({ ...toPod, fate: "silence" }));
  assert.notEqual(keyOfTrial(toPod), keyOfTrial(toPod6));
});
