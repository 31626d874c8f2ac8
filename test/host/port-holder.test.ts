import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { holderOfPort, takenBy } from "../../src/host/port-holder.ts";
import { systemHost } from "../../src/host/processes.ts";

/** Binds what it is told, says the port, and stays. */
const PROGRAM = `
import socket, sys
kind, family, ip = sys.argv[1:4]
one = socket.socket(getattr(socket, family), getattr(socket, kind))
if len(sys.argv) > 4: one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
one.bind((ip, 0))
if kind == "SOCK_STREAM": one.listen()
print(one.getsockname()[1], flush=True)
sys.stdin.read()
`;

void describe("who has a port", () => {
  const host = systemHost();
  for (const [protocol, kind, family, bound, asked, both] of [
    ["UDP", "SOCK_DGRAM", "AF_INET", "127.0.0.1", "127.0.0.1"],
    ["UDP", "SOCK_DGRAM", "AF_INET", "0.0.0.0", "127.0.0.5"],
    ["UDP", "SOCK_DGRAM", "AF_INET", "127.0.0.1", "0.0.0.0"],
    ["UDP", "SOCK_DGRAM", "AF_INET6", "::1", "::1"],
    ["UDP", "SOCK_DGRAM", "AF_INET6", "::", "127.0.0.1", "both"],
    ["TCP", "SOCK_STREAM", "AF_INET", "127.0.0.1", "127.0.0.1"],
    ["TCP", "SOCK_STREAM", "AF_INET6", "::", "::1"],
    ["TCP", "SOCK_STREAM", "AF_INET6", "::1", "::"],
  ] as const) {
    void test(`a program with ${protocol} ${bound} is in the way of ${asked}, and is named with its id`, async () => {
      const words = ["-c", PROGRAM, kind, family, bound, ...(both === undefined ? [] : [both])];
      const program = await host.open("python3", words);
      try {
        const [said] = (await once(program.stdout, "data")) as [Buffer];
        const port = Number(said.toString());
        const holder = await holderOfPort(protocol, asked, port);
        assert.equal(holder?.pid, program.pid);
        assert.match(holder.name, /^python3/);
        assert.equal(await takenBy(protocol, asked, port), `taken by ${holder.name} (pid ${program.pid})`);
        const other = protocol === "UDP" ? "TCP" : "UDP";
        assert.equal(await holderOfPort(other, asked, port), undefined);
      } finally {
        program.stdin.end();
        await program.ended;
      }
    });
  }
});
