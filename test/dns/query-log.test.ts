import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import type { Pod } from "../../src/api/generated/types.ts";
import { pods, services } from "../../src/api/resources.ts";
import type { LogOptions } from "../../src/dns/configuration/configuration.ts";
import { createFigures } from "../../src/dns/figures/figures.ts";
import { silentLog, type Log } from "../../src/observe/log.ts";
import { ask, configurationOf, eventually, framed, overTcp, overUdp, running, type Settings } from "./running.ts";
import { service } from "./testns.ts";

const SVC = "testns.svc.cluster.local";
const rule = (rest: Partial<LogOptions> = {}): LogOptions => ({ names: [""], format: "", classes: ["all"], ...rest });

interface Line {
  readonly facts: object;
  readonly text: string;
}

async function logging(t: TestContext, settings: Settings = {}, write: (line: Line) => void = () => {}) {
  const lines: Line[] = [];
  const take = (facts: object, text: string): void => {
    const line = { facts, text };
    write(line);
    lines.push(line);
  };
  const log: Log = { ...silentLog, info: take, error: take, warn: take, child: () => log };
  const server = await running(t, { ...settings, options: { log, ...settings.options } });
  await server.dns.synced();
  lines.length = 0;
  return { ...server, lines, texts: () => lines.map(({ text }) => text) };
}

void describe("the query log", () => {
  void test("DNS-125: in the common format a line says who asked what, and what came", async (t) => {
    const { port, lines } = await logging(t, { block: { log: [rule()] } });
    await overUdp(port, ask(`SVC1.${SVC}`, "A", 4711));
    await overTcp(port, [framed(ask(`svc0.${SVC}`, "AAAA", 9))], 1);
    await overUdp(port, ask("example.com", "MX", 8));
    const [found, missing, refused] = lines.map(({ text }) => text);
    const size = ask(`svc1.${SVC}`).length;
    assert.match(
      found!,
      new RegExp(
        `^127\\.0\\.0\\.1:\\d+ - 4711 "A IN svc1\\.${SVC}\\. udp ${size} false 512" NOERROR qr,aa,rd ${size + 16} 0\\.\\d{9}s$`,
      ),
    );
    assert.match(missing!, /^127\.0\.0\.1:\d+ - 9 "AAAA IN svc0\..* tcp \d+ false 65535" NXDOMAIN qr,aa,rd \d+ /);
    assert.match(refused!, /- 8 "MX IN example\.com\. udp .* REFUSED qr,rd /);
  });

  void test("formats: each placeholder, unknown labels as a dash, other words as they are", async (t) => {
    const format =
      "{combined} | {local} {>opcode} {>do} {>id} {/log/class} {/log/type} {/kubernetes/client-namespace} {nothing} }{";
    const { port, texts } = await logging(t, { block: { log: [rule({ format })] } });
    await overUdp(port, ask(`svc1.${SVC}`, "AAAA", 5));
    assert.match(texts()[0]!, /s "0" \| 127\.0\.0\.1 0 false 5 denial NODATA - \{nothing\} \}\{$/);
  });

  void test("names and classes choose; the first rule with such a name decides", async (t) => {
    const log = [
      rule({ names: [`svc1.${SVC}`], format: "one {name}", classes: ["denial"] }),
      rule({ names: ["cluster.local"], format: "two {name} {rcode}", classes: ["success", "error"] }),
    ];
    const { port, texts } = await logging(t, { block: { log } });
    for (const [name, type] of [
      [`svc1.${SVC}`, "A"],
      [`svc1.${SVC}`, "TXT"],
      [`dual.${SVC}`, "A"],
      [`svc0.${SVC}`, "A"],
      ["example.com", "A"],
    ] as const) {
      await overUdp(port, ask(name, type));
    }
    assert.deepEqual(texts(), [`one svc1.${SVC}.`, `two dual.${SVC}. NOERROR`]);
  });

  void test("while running, one pod's queries: its name stands beside the line, and others are not logged", async (t) => {
    const { port, lines, objects } = await logging(t, { search: { hostSearches: undefined } });
    const put = (value: string): void => objects.put(pods, podOf(value));
    const podOf = (value: string): Pod => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web-0", namespace: "testns", uid: "web-0", annotations: { "fairlead.dev/dns-log": value } },
      status: { phase: "Running", podIP: "127.0.0.1", podIPs: [{ ip: "127.0.0.1" }] },
    });
    put("false");
    await overUdp(port, ask(`svc1.${SVC}`));
    assert.equal(lines.length, 0);
    put("true");
    await eventually("the line of a pod that is logged", async () => {
      await overUdp(port, ask(`svc1.${SVC}`));
      return lines.length > 0 ? true : undefined;
    });
    assert.deepEqual(lines[0]!.facts, { pod: "testns/web-0" });
    put("false");
    await eventually("no line any more", async () => {
      const before = lines.length;
      await overUdp(port, ask(`svc1.${SVC}`));
      return lines.length === before ? true : undefined;
    });
  });

  void test("while running, names: the annotation of kube-system/kube-dns turns them on and off", async (t) => {
    const { port, objects, texts } = await logging(t);
    const put = (value: string | undefined): void => {
      const made = service("kube-dns", { clusterIP: "10.0.0.10" }, "kube-system");
      const annotations = value === undefined ? {} : { "fairlead.dev/dns-log": value };
      objects.put(services, { ...made, metadata: { ...made.metadata, annotations } });
    };
    await overUdp(port, ask(`svc1.${SVC}`));
    assert.deepEqual(texts(), []);
    put(` svc1.${SVC}. ,example.com`);
    await eventually("the line of a name that is logged", async () => {
      await overUdp(port, ask(`a.SVC1.${SVC}`));
      return texts().length > 0 ? true : undefined;
    });
    const before = texts().length;
    await overUdp(port, ask("www.example.com"));
    await overUdp(port, ask(`dual.${SVC}`));
    assert.equal(texts().length, before + 1);
    assert.match(texts().at(-1)!, /"A IN www\.example\.com\. /);
    put(undefined);
    await eventually("quiet", async () => {
      const now = texts().length;
      await overUdp(port, ask(`svc1.${SVC}`));
      return texts().length === now ? true : undefined;
    });
  });

  void test("rules that come with another configuration hold from then on, and go with it", async (t) => {
    const { dns, port, texts } = await logging(t);
    const configured = (log: readonly LogOptions[]): Promise<void> =>
      dns.configure(configurationOf({ block: { log } }));
    await overUdp(port, ask(`svc1.${SVC}`));
    assert.deepEqual(texts(), []);
    await configured([rule({ format: "{name}" })]);
    await overUdp(dns.listening[0]!.port, ask(`svc1.${SVC}`));
    assert.deepEqual(texts(), [`svc1.${SVC}.`]);
    await configured([]);
    await overUdp(dns.listening[0]!.port, ask(`svc1.${SVC}`));
    assert.equal(texts().length, 1);
  });

  void test("a log that cannot be written stops no answer", async (t) => {
    let written = 0;
    const { port } = await logging(t, { block: { log: [rule()] } }, ({ text }) => {
      if (!text.includes(" IN ")) return;
      written += 1;
      throw new Error("no space left on device");
    });
    const reply = await overUdp(port, ask(`svc1.${SVC}`));
    assert.equal(reply?.readUInt16BE(6), 1);
    assert.equal(written, 1);
  });

  void test("beyond a thousand lines in a second they are left out, and counted; all are answered", async (t) => {
    const due: (() => void)[] = [];
    const clock = {
      now: () => Date.now(),
      after: (milliseconds: number, callback: () => void) => {
        if (milliseconds === 1000) due.push(callback);
        return () => {};
      },
    };
    const figures = createFigures({ version: "1", log: silentLog });
    const block = { log: [rule({ format: "{name}" })] };
    const { port, lines } = await logging(t, { block, clock, options: { figures } });
    const all = Array.from({ length: 1500 }, (_, id) => framed(ask(`svc1.${SVC}`, "A", id)));
    assert.equal((await overTcp(port, all, 1500)).length, 1500);
    assert.equal(lines.length, 1000);
    for (const callback of due) callback();
    assert.deepEqual(lines.at(-1), {
      facts: { count: 500 },
      text: "queries were left out of the log: there were too many in a second",
    });
    assert.equal(figures.unlogged.value, 500);
    await overUdp(port, ask(`svc1.${SVC}`));
    assert.equal(lines.length, 1002);
  });

  void test("errors: failures are logged with the name and the reason, and not where that is off", async (t) => {
    for (const errors of [true, false]) {
      const { port, lines } = await logging(t, {
        block: { errors },
        upstreams: ["127.0.0.1:1"],
      });
      const reply = await overUdp(port, ask("www.example.com", "MX"), 10_000);
      assert.equal(reply![3]! & 15, 2);
      assert.deepEqual(
        lines.map(({ facts, text }) => [text, { ...facts, err: undefined }]),
        errors ? [["a query could not be answered", { name: "www.example.com.", type: 15, err: undefined }]] : [],
      );
    }
  });
});
