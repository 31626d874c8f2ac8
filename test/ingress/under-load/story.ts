import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { times } from "../../lab/counts.ts";
import { until } from "../../lab/until.ts";
import { startBackends, type LabPod } from "../lab/backends.ts";
import { createCertificate, type Pair } from "../lab/certificates.ts";
import { ask } from "../lab/clients.ts";
import { createCluster } from "../lab/cluster.ts";
import type { EngineSubject } from "../lab/door.ts";
import { createLabPlanner } from "../lab/planner.ts";
import { holdDoor } from "./held-door.ts";
import { startLoad } from "./load.ts";
import { createWindows } from "./windows.ts";
import { KEPT, KINDS, now, RATES, SOURCES, type Outcome, type Sockets } from "./words.ts";

const LONGER = times(1, 10);
const ROUTE_CHANGES = 100 * LONGER;
const ENDPOINT_CHANGES = 100 * LONGER;
const ROTATIONS = 10 * LONGER;
const HAND_OVERS = 2 * LONGER;
const SECONDS = 20 * LONGER;
const SERVICES = 6;
const PODS = 3;
const SOCKETS = 100;
/** Hosts that are there from the beginning to the end. */
const STANDING = 12;
const SOCKET_HOST = "sockets.load.test";
/** A generator that is further behind its times does not ask at a rate any more, but in heaps. Milliseconds. */
const LATE = 5_000;
/** After a hand-over, until every connection that was kept has been asked over: the generator takes those that were used last first. Milliseconds. */
const KEPT_STILL = 5_000;

interface Service {
  readonly name: string;
  serving: LabPod[];
  draining: LabPod[];
}

/** Everything changes while somebody asks; nothing of that may be seen by who asks. */
export async function changeUnderLoad(t: TestContext, subject: EngineSubject): Promise<void> {
  const pairs: Pair[] = [];
  while (pairs.length <= ROTATIONS) pairs.push(await createCertificate(["*.load.test", "load.test"]));
  const fallback = await createCertificate(["fallback.test"]);
  const [lab, load, door] = await Promise.all([startBackends(), startLoad(), holdDoor(subject)]);
  t.after(async () => {
    await load.close();
    await door.close();
    await lab.end();
  });

  const cluster = createCluster();
  const planner = createLabPlanner(fallback);
  const services = new Map<string, Service>();
  const routes = new Map<string, string>();
  const answers = createWindows();
  const shown = createWindows();
  let certificate: Pair = pairs[0]!;

  const fingerprint = ({ certificate: pem }: Pair): string => new X509Certificate(pem).fingerprint256;
  const mayAnswer = (): ReadonlySet<string> =>
    new Set([...routes].flatMap(([host, name]) => services.get(name)!.serving.map((pod) => `${host} ${pod.name}`)));

  // One change after the other, as a controller does it.
  let last: Promise<unknown> = Promise.resolve();
  const longest = { change: 0, handOver: 0 };
  /** When kept connections of an instance before may still be asked over. */
  const handedOver: { readonly from: number; readonly to: number }[] = [];
  const inTurn = async (change: () => void, how: "carry" | "handOver" = "carry"): Promise<void> => {
    const next = last.then(async () => {
      change();
      const plan = planner.plan(cluster);
      const began = now();
      answers.open(mayAnswer(), began);
      shown.open(new Set([fingerprint(certificate)]), began);
      await door[how](plan);
      const ended = now();
      answers.settle(mayAnswer(), ended);
      shown.settle(new Set([fingerprint(certificate)]), ended);
      const what = how === "carry" ? "change" : "handOver";
      longest[what] = Math.max(longest[what], ended - began);
      if (how === "handOver") handedOver.push({ from: began, to: ended + KEPT_STILL });
    });
    last = next.catch(() => undefined);
    return next;
  };

  const sayEndpoints = ({ name, serving, draining }: Service): void =>
    cluster.endpoints(name, [
      ...serving,
      ...draining.map((pod) => ({ ...pod, terminating: true, ready: false, serving: true })),
    ]);
  const sayRoute = (host: string, service: string): void => {
    routes.set(host, service);
    cluster.ingress(host.replace(/\W/g, "-"), {
      nginx: { "ssl-redirect": "false" },
      paths: [{ host, service }],
      tls: [{ hosts: [host], secretName: "load" }],
    });
  };
  const sayCertificate = (pair: Pair): void => {
    certificate = pair;
    cluster.tlsSecret("load", pair);
  };
  const serviceAt = (at: number): string => `service-${at % SERVICES}`;
  const hostOf = (name: string): string => `${name}.load.test`;

  const names = [...Array.from({ length: SERVICES }, (_, at) => serviceAt(at)), "sockets"];
  for (const name of names) {
    const serving = await lab.pods(name === "sockets" ? 4 : PODS, { prefix: name });
    services.set(name, { name, serving, draining: [] });
  }
  await inTurn(() => {
    sayCertificate(certificate);
    for (const { name, serving } of services.values()) cluster.service(name, serving);
    for (let at = 0; at < STANDING; at++) sayRoute(hostOf(`standing-${at}`), serviceAt(at));
    sayRoute(SOCKET_HOST, "sockets");
  });
  const homes = await load.begin(door.places, SOCKET_HOST, SOCKETS);
  assert.equal(homes.length, SOCKETS);
  for (let at = 0; at < STANDING; at++) load.add(hostOf(`standing-${at}`));

  const began = now();
  /** Rests until the change of this number is due, so that they fill the time evenly. */
  const due = async (at: number, of: number): Promise<void> => {
    await sleep(Math.max(0, ((at + 0.5) / of) * SECONDS * 1000 - (now() - began)));
  };

  let routeChanges = 0;
  const changeRoutes = async (): Promise<void> => {
    const added: string[] = [];
    while (routeChanges < ROUTE_CHANGES) {
      await due(routeChanges, ROUTE_CHANGES);
      const at = routeChanges++;
      if (at % 3 === 0) {
        const host = hostOf(`added-${at}`);
        await inTurn(() => sayRoute(host, serviceAt(at)));
        added.push(host);
        load.add(host);
      } else if (at % 3 === 1) {
        const host = hostOf(`standing-${at % STANDING}`);
        await inTurn(() => sayRoute(host, serviceAt(at + Math.floor(at / STANDING))));
      } else if (added.length < 4) {
        const host = added.at(-1)!;
        await inTurn(() => sayRoute(host, serviceAt(at + 1)));
      } else {
        const host = added.shift()!;
        await load.drop(host);
        await inTurn(() => {
          routes.delete(host);
          cluster.remove("Ingress", `default/${host.replace(/\W/g, "-")}`);
        });
        const { status } = await ask({ address: door.places.address, port: door.places.plain, tls: false }, { host });
        assert.equal(status, 404, `${host}, whose route is gone`);
      }
    }
  };

  let endpointChanges = 0;
  let podsEnded = 0;
  const ends: Promise<void>[] = [];
  const changeEndpoints = async (): Promise<void> => {
    for (let round = 0; endpointChanges < ENDPOINT_CHANGES; round++) {
      const service = services.get(serviceAt(round))!;
      const young = await lab.pod({ name: `${service.name}-young-${round}` });
      const old = service.serving[0]!;
      const steps = [
        () => void service.serving.push(young),
        () => {
          service.serving = service.serving.filter((pod) => pod !== old);
          service.draining.push(old);
        },
        () => void (service.draining = service.draining.filter((pod) => pod !== old)),
      ];
      for (const step of steps) {
        await due(endpointChanges++, ENDPOINT_CHANGES);
        await inTurn(() => {
          step();
          sayEndpoints(service);
        });
      }
      podsEnded += 1;
      ends.push(old.end());
    }
  };

  let rotations = 0;
  const rotate = async (): Promise<void> => {
    while (rotations < ROTATIONS) {
      await due(rotations++, ROTATIONS);
      await inTurn(() => sayCertificate(pairs[rotations]!));
    }
  };

  let handOvers = 0;
  const handOver = async (): Promise<void> => {
    while (handOvers < HAND_OVERS) {
      await due(handOvers++, HAND_OVERS);
      await inTurn(() => undefined, "handOver");
    }
  };

  let doomed: LabPod | undefined;
  let early: Sockets["lost"] = [];
  /** A pod with WebSockets drains, is no endpoint any more, and dies: not before that they go. */
  const losePod = async (): Promise<void> => {
    const service = services.get("sockets")!;
    await due(6, 10);
    const pod = service.serving[0]!;
    await inTurn(() => {
      service.serving.shift();
      service.draining.push(pod);
      sayEndpoints(service);
    });
    await due(7, 10);
    await inTurn(() => {
      service.draining = [];
      sayEndpoints(service);
    });
    await due(8, 10);
    early = (await load.sockets()).lost;
    doomed = pod;
    await pod.kill();
  };

  await Promise.all([changeRoutes(), changeEndpoints(), rotate(), handOver(), losePod()]);
  await sleep(Math.max(0, SECONDS * 1000 - (now() - began)));
  const own = homes.filter((pod) => pod === doomed?.name).length;
  await until(
    "the WebSockets of the pod that is gone to be told so",
    async () => (await load.sockets()).lost.length >= own,
  );
  const { sockets, seconds, late, again } = await load.end();
  const { outcomes } = load;

  const isStray = ({ host, pod, from, to }: Outcome): boolean => !answers.was(`${host} ${pod}`, from, to);
  // HAProxy's workers that are ending answer once more on each connection that was kept, by what they had been told.
  const former = outcomes.filter(
    (one) =>
      subject.name === "haproxy" &&
      (one.kind === "kept" || one.kind === "http2") &&
      handedOver.some(({ from, to }) => one.from >= from && one.from <= to) &&
      (one.fault === undefined ? isStray(one) : / answer: 404 /.test(one.fault)),
  );
  const outcomesNow = outcomes.filter((one) => !former.includes(one));
  const failed = outcomesNow.filter(({ fault }) => fault !== undefined);
  const answered = outcomesNow.filter(({ fault }) => fault === undefined);
  const strays = answered.filter(isStray);
  const stale = answered.filter(({ certificate: seen, from, to }) => seen !== undefined && !shown.was(seen, from, to));
  const certificates = new Set(answered.map(({ certificate: seen }) => seen).filter((seen) => seen !== undefined));
  const words = ({ kind, host, pod, from, to, fault }: Outcome): string =>
    `${kind} ${host}: ${fault ?? `answered by ${pod}`}, ${Math.round(from - began)} to ${Math.round(to - began)} ms`;
  const bySpeed = outcomes.toSorted((one, other) => one.to - one.from - (other.to - other.from));
  const took = ({ from = NaN, to = NaN }: Partial<Outcome> = {}): number => to - from;
  const slowest = bySpeed.at(-1)!;

  for (const kind of KINDS) {
    const mine = outcomes.filter((one) => one.kind === kind);
    t.diagnostic(
      `${kind}: ${mine.length} requests, ${(mine.length / seconds).toFixed(1)} a second of ${RATES[kind]}, ${mine.filter(({ fault }) => fault !== undefined).length} failed`,
    );
  }
  t.diagnostic(
    `from ${SOURCES.length} addresses in ${seconds.toFixed(1)} s; the median took ${took(bySpeed[bySpeed.length >> 1]).toFixed(1)} ms, 99 % less than ${took(bySpeed[Math.floor(bySpeed.length * 0.99)]).toFixed(0)} ms, the longest ${took(slowest).toFixed(0)} ms (${words(slowest)}); begun at most ${late.toFixed(0)} ms late; ${again} sent again by rules of HTTP`,
  );
  t.diagnostic(
    `${routeChanges} changes of routes, ${endpointChanges} of endpoints (${podsEnded} pods ended), ${rotations} of certificates (${certificates.size} seen), ${handOvers} hand-overs; the longest change took ${longest.change.toFixed(0)} ms, the longest hand-over ${longest.handOver.toFixed(0)} ms`,
  );
  t.diagnostic(
    `answered by a pod that may not: ${strays.length}; with a certificate that is gone: ${stale.length}; WebSockets: ${SOCKETS} opened, ${sockets.open} open, ${sockets.lost.length} lost (${own} with their pod), ${sockets.echoes} echoes; answered by workers that were ending, as things had been: ${former.length}`,
  );
  for (const kind of KINDS) {
    const rate = outcomes.filter((one) => one.kind === kind).length / seconds;
    assert.ok(rate >= RATES[kind] * 0.97, `void: the load fell behind: ${rate.toFixed(1)} ${kind} requests a second`);
  }
  assert.ok(late < LATE, `void: a request was begun ${late.toFixed(0)} ms after its time`);
  assert.deepEqual(failed.slice(0, 10).map(words), [], `${failed.length} requests failed`);
  assert.deepEqual(strays.slice(0, 10).map(words), [], `${strays.length} were answered by a pod that may not`);
  assert.deepEqual(stale.slice(0, 10).map(words), [], `${stale.length} were shown a certificate that was gone`);
  assert.ok(former.length <= 2 * KEPT * HAND_OVERS, "connections that were kept are answered once more, not on and on");
  assert.equal(certificates.size, ROTATIONS + 1);
  const needlessly = [...early, ...sockets.lost.filter(({ pod }) => pod !== doomed?.name)];
  assert.deepEqual(needlessly.slice(0, 10), [], "WebSockets are lost with their pod alone");
  assert.deepEqual([sockets.lost.length, sockets.open], [own, SOCKETS - own]);
  assert.ok(own > 0, "the pod that was lost had WebSockets");
  await Promise.all(ends);
}
