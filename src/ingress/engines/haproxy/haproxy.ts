import { rm } from "node:fs/promises";
import { join } from "node:path";
import { takeHeld } from "../../../host/held-sockets.ts";
import type { Host } from "../../../host/host.ts";
import { libc } from "../../../host/libc.ts";
import { boundSocket, portOf, stopListening } from "../../../host/listening-socket.ts";
import { identityOf, isRunning, signalProcess, type ProcessIdentity } from "../../../host/process-identity.ts";
import type { Clock } from "../../../observe/clock.ts";
import type { Log } from "../../../observe/log.ts";
import type { EngineGround, IngressEngine } from "../../engine.ts";
import type { IngressPlan } from "../../plan/plan.ts";
import { readLogLine } from "./access-log.ts";
import { Certificates } from "./certificates.ts";
import {
  BEHIND,
  compile,
  NOTHING_DECLARED,
  type Compiled,
  type CompiledRoute,
  type Declared,
} from "./compile/compile.ts";
import { BEHIND_SOCKET, configuration, WORKER_SOCKET } from "./compile/configuration.ts";
import { EXPRESSIONS } from "./compile/files.ts";
import { prepareDirectory, writeFiles } from "./process/directory.ts";
import { readLog, type LogReader } from "./process/log-reader.ts";
import { ConfigurationRefused, createMaster, type HeldListener, type RunningMaster } from "./process/master.ts";
import { Counts, readCounts, SHOW_COUNTS } from "./runtime/counts.ts";
import { changesBetween, type KnownServer } from "./runtime/changes.ts";
import { addToMap, commitMap, deleteServer, preparedVersion, prepareMap, type Command } from "./runtime/protocol.ts";
import { CommandFailed, type RuntimeSession } from "./runtime/session.ts";

export interface HaproxyGround extends EngineGround {
  readonly host: Host;
  /** Path of the program. */
  readonly haproxy: string;
  /** Of its own, for files and sockets; a later engine in the same place takes over what runs. Its path must be short: sockets have 107 bytes. */
  readonly directory: string;
  readonly clock: Clock;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  readonly log: Log;
  /** Makes the engine that does for some routes what HAProxy cannot. */
  readonly behind: (ground: EngineGround) => IngressEngine;
  /** Threads of HAProxy's; as many as there are cores unless told. */
  readonly threads?: number;
}

/** Milliseconds between two looks at whether it still runs. */
const LOOK = 250;
/** It is started again after these, the last one for every further time; after so many in a row without a quiet minute it has failed for good. */
const PAUSES = [0, 200, 1000, 3000, 5000] as const;
const QUIET = 60_000;
/** Milliseconds between two tries to take away servers that nothing leads to any more. */
const SWEEP = 5000;
/** Routes that have gone whose last requests may still be logged. */
const FORMER_ROUTES = 4096;

/**
 * Carries a plan by Debian's HAProxy. What changes while it runs goes through its runtime API: routes are entries of maps, backends places that were
 * declared in advance, endpoints servers that come and go. Only what must be said at start (the store of places is empty, a way of balancing, a cookie's name
 * that is new) costs new workers, which take the listening sockets over while the old ones end with their connections.
 */
export function createHaproxyEngine(ground: HaproxyGround): IngressEngine {
  const { host, directory, clock, log } = ground;
  const master = createMaster(host, ground.haproxy, directory);
  const certificates = new Certificates(directory);

  let running: RunningMaster | undefined;
  let session: RuntimeSession | undefined;
  let workers: ProcessIdentity | undefined;
  let compiled: Compiled | undefined;
  let declared: Declared = NOTHING_DECLARED;
  let servers: ReadonlyMap<string, KnownServer> = new Map();
  let listening: readonly HeldListener[] = [];
  let descriptors: number[] = [];
  /** Those that nobody else has. */
  let own: number[] = [];
  let reader: LogReader | undefined;
  let behind: IngressEngine | undefined;
  let isStopped = false;
  let isOver = false;
  let stopped: Promise<void> | undefined;
  /** When what is under way is cut. */
  let endBy = Number.POSITIVE_INFINITY;
  let failures = 0;
  const cancels = new Set<() => void>();

  let fail: (error: Error) => void = () => {};
  const failed = new Promise<never>((_, reject) => (fail = reject));
  // Somebody may look later, or never.
  failed.catch(() => {});

  const routes = new Map<string, CompiledRoute>();
  const former: string[] = [];
  const backends = new Map<string, string>();
  const counts = new Counts();
  /** Before what has been counted is forgotten, or is somebody else's. */
  const count = async (): Promise<void> => {
    if (ground.accessLog !== undefined || session === undefined) return;
    try {
      const [table] = await session.run([SHOW_COUNTS]);
      counts.add(readCounts(table!), "in", (section) =>
        section === BEHIND ? undefined : (backends.get(section) ?? ""),
      );
    } catch {
      // Its workers have died, and what they counted with them.
    }
  };
  const names = {
    route: (id: string) => {
      const route = routes.get(id);
      return route === undefined
        ? undefined
        : { ingress: route.plan.ingress, host: route.plan.host, path: route.plan.path };
    },
    backend: (slot: string) => backends.get(slot),
  };

  const remember = (was: Compiled | undefined, is: Compiled): void => {
    for (const [key, { routes: had }] of was?.hosts ?? [])
      if (is.hosts.get(key)?.routes !== had) for (const { id } of had) former.push(id);
    for (const [key, { routes: have }] of is.hosts)
      if (was?.hosts.get(key)?.routes !== have) for (const route of have) routes.set(route.id, route);
    while (former.length > FORMER_ROUTES) routes.delete(former.shift()!);
    for (const { name, plan } of is.slots.values())
      backends.set(name, `${plan.namespace}/${plan.service}:${plan.port}`);
  };

  // One thing at a time.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const next = last.then(act, act);
    last = next.catch(() => {});
    return next;
  };

  const after = (milliseconds: number, act: () => void): void => {
    const cancel = clock.after(milliseconds, () => {
      cancels.delete(cancel);
      if (!isStopped) act();
    });
    cancels.add(cancel);
  };

  const openListeners = (): void => {
    const had: HeldListener[] = [];
    for (const listener of ground.listeners) {
      let fd = ground.open?.(listener);
      if (fd === undefined) {
        fd = boundSocket({ protocol: "TCP", ip: listener.address, port: listener.port, anyAddress: false });
        own.push(fd);
      }
      descriptors.push(fd);
      had.push({ ...listener, port: portOf(fd), isHeld: !own.includes(fd) });
    }
    listening = had;
  };

  /** Of an HAProxy that an earlier controller started: only by its descriptors can a configuration be checked, or it be started again. */
  const takeListeners = ({ process, listening: theirs }: RunningMaster): void => {
    listening = theirs;
    descriptors = takeHeld({
      process,
      sockets: theirs.map(({ address, port }) => ({ protocol: "TCP", ip: address, port })),
    }).map(({ fd }) => fd);
    own = descriptors.filter((_, at) => !theirs[at]!.isHeld);
  };

  const startBehind = async (): Promise<void> => {
    const address = join(directory, BEHIND_SOCKET);
    // One that was left by whoever died here.
    await rm(address, { force: true });
    behind = ground.behind({
      listeners: [{ address, port: 0, tls: false, proxyProtocol: true }],
      trust: ground.trust,
      accessLog: ground.accessLog,
    });
    behind.failed.catch((error: Error) => fail(error));
  };

  const attach = async (next: RunningMaster, state: Compiled, made: Declared): Promise<void> => {
    const opened = await master.session(next);
    const [info] = await opened.run([{ text: "show info", complaint: () => undefined }]);
    const pid = Number(/^Pid: (\d+)$/m.exec(info!)?.[1]);
    workers = await identityOf(pid);
    const old = session;
    counts.restart();
    running = next;
    session = opened;
    declared = made;
    servers = new Map(
      [...state.slots.values()].flatMap(({ name, servers: its }) =>
        [...its].map(([server, is]) => [`${name}/${server}`, { state: is, on: true, isDynamic: false }] as const),
      ),
    );
    certificates.started(state.plan.certificates);
    remember(compiled, state);
    compiled = state;
    if (old !== undefined) {
      await untilStopping(old);
      await old.close();
    }
    void opened.closed.then(() => {
      if (session === opened && !isStopped) void inTurn(look);
    });
  };

  /** New connections are accepted by the old workers as long as nobody has told them. */
  const untilStopping = async (old: RuntimeSession, sayAgain?: () => Promise<void>): Promise<void> => {
    const deadline = performance.now() + 10_000;
    let said = performance.now();
    try {
      while (performance.now() < deadline) {
        const [info] = await old.run([{ text: "show info", complaint: () => undefined }]);
        if (/^Stopping: 1$/m.test(info!)) break;
        if (sayAgain !== undefined && performance.now() - said > LOOK) {
          await sayAgain();
          said = performance.now();
        }
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    } catch {
      // Ended already.
    }
  };

  const write = async (state: Compiled, generation: number): Promise<Declared> => {
    const made = configuration(state, {
      directory,
      listeners: listening,
      trusted: ground.trust.from,
      generation,
      threads: ground.threads,
      log: reader,
      hasDefaultCertificate: state.plan.certificates.has(""),
    });
    await writeFiles(directory, state, made.text);
    await master.check(descriptors);
    return made.declared;
  };

  const reload = async (state: Compiled): Promise<void> => {
    const now = running!;
    const generation = now.generation + 1;
    await count();
    const made = await write(state, generation);
    const next = await master.reload(now, generation);
    await attach(next, state, made);
    await rm(join(directory, WORKER_SOCKET(now.generation)), { force: true });
    log.info({ generation }, "HAProxy has new workers");
  };

  const start = async (state: Compiled): Promise<void> => {
    const generation = (running?.generation ?? 0) + 1;
    const made = await write(state, generation);
    const next = await master.start({ generation, wanted: ground.listeners, listening }, descriptors);
    session = undefined;
    await attach(next, state, made);
  };

  /** It may die in this very moment; then what listened is still in our hands. */
  const takeOver = async (found: RunningMaster, state: Compiled): Promise<void> => {
    try {
      running = found;
      await reload(state);
      log.info({ pid: found.process.pid }, "took over the HAProxy that was running");
    } catch (error) {
      running = undefined;
      if (error instanceof ConfigurationRefused) throw error;
      log.warn(
        { error: (error as Error).message },
        "the HAProxy that was running cannot be taken over; another is started",
      );
      await master.end(found, () => 0);
      await start(state);
    }
  };

  const first = async (plan: IngressPlan): Promise<void> => {
    await prepareDirectory(directory);
    const { accessLog } = ground;
    if (accessLog !== undefined)
      reader ??= await readLog((line) => {
        const exchange = readLogLine(line, names);
        if (exchange !== undefined) accessLog(exchange);
      });
    if (behind === undefined) await startBehind();
    await behind!.apply(plan);
    const state = compile(plan, undefined, NOTHING_DECLARED);
    const found = await master.found();
    if (found !== undefined && JSON.stringify(found.wanted) === JSON.stringify(ground.listeners)) {
      takeListeners(found);
      await takeOver(found, state);
    } else {
      if (found !== undefined) await master.end(found, () => 0);
      if (descriptors.length === 0) openListeners();
      await start(state);
    }
    after(LOOK, watch);
    after(SWEEP, sweep);
  };

  const runExpressions = async (entries: readonly (readonly [string, string])[]): Promise<void> => {
    const [answer] = await session!.run([prepareMap(EXPRESSIONS)]);
    const version = preparedVersion(answer!);
    await session!.run([...addToMap(`@${version} ${EXPRESSIONS}`, entries), commitMap(EXPRESSIONS, version)]);
  };

  const change = async (plan: IngressPlan): Promise<void> => {
    await behind!.apply(plan);
    const was = compiled!;
    const state = compile(plan, was, declared);
    const changes = changesBetween(was, state, servers);
    if (state.needsReload || changes.needsReload || certificates.needsReload(plan.certificates)) return reload(state);
    if (was.slots.size > 0 && [...was.slots.keys()].some((key) => !state.slots.has(key))) await count();
    try {
      await certificates.follow(plan.certificates, session!);
      // From here on what HAProxy has is known only when all of it is done.
      await session!.run(changes.before);
      if (changes.expressions !== undefined) await runExpressions(changes.expressions);
      await session!.run([...changes.turn, ...changes.after]);
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      if (!(await isRunning(running!.process))) return startAgain(state);
      // Whatever was left half done: a new start has the whole.
      log.warn({ error: error.message }, "HAProxy did not do a command; it gets new workers");
      return reload(state);
    }
    servers = changes.servers;
    remember(was, state);
    compiled = state;
  };

  /** What its connections have left is taken away, a few at a time. */
  const sweep = (): void =>
    void inTurn(async () => {
      const gone = [...servers].filter(([, { on, isDynamic }]) => !on && isDynamic).slice(0, 200);
      const left = new Map(servers);
      for (const [id] of gone) {
        const command: Command = deleteServer(id);
        const done = await session!.run([command]).then(
          () => true,
          () => false,
        );
        if (done) left.delete(id);
      }
      servers = left;
    })
      .catch(() => {})
      .finally(() => after(SWEEP, sweep));

  const startAgain = async (state: Compiled): Promise<void> => {
    // Its workers end with it; one that did not would keep taking connections.
    if (workers !== undefined) await signalProcess(workers, "SIGKILL");
    for (;;) {
      const pause = PAUSES[Math.min(failures, PAUSES.length - 1)]!;
      failures += 1;
      if (failures > PAUSES.length) {
        const error = new Error(
          `running HAProxy: it has ended ${failures - 1} times in a row; ${join(directory, "output.log")} has its words`,
        );
        fail(error);
        throw error;
      }
      log.warn({ pause }, "HAProxy has ended; it is started again");
      // A little apart from what others do at the same moment.
      if (pause > 0)
        await new Promise<void>((resolve) => void clock.after(pause * (0.75 + ground.random() / 2), resolve));
      if (isStopped) return;
      try {
        await start(state);
        const generation = running!.generation;
        after(QUIET, () => {
          if (running?.generation === generation) failures = 0;
        });
        return;
      } catch (error) {
        if (error instanceof ConfigurationRefused) {
          fail(error);
          throw error;
        }
        log.error({ error: (error as Error).message }, "starting HAProxy");
      }
    }
  };

  const look = async (): Promise<void> => {
    if (isStopped || running === undefined || compiled === undefined) return;
    if (await isRunning(running.process)) return;
    await startAgain(compiled);
  };

  const watch = (): void =>
    void inTurn(look)
      .catch(() => {})
      .finally(() => after(LOOK, watch));

  const left = (): number => Math.max(0, endBy - clock.now());

  const drainWorkers = async (): Promise<void> => {
    isStopped = true;
    for (const cancel of cancels) cancel();
    const last = running;
    if (last === undefined) return;
    await master.drain(last);
    // Its sockets are open in the master to its end: who connects to ours meanwhile is to know that nobody will answer.
    for (const fd of own) stopListening(fd);
    if (session === undefined) return;
    // Now and then a master does not pass it on.
    if (left() > 0) await untilStopping(session, () => master.drain(last));
    // A worker waits for whoever talks to it.
    await session.close();
  };

  const end = async (): Promise<void> => {
    if (running !== undefined) await master.end(running, left);
    await behind?.stop(left());
    isOver = true;
    await reader?.close();
    for (const fd of descriptors) libc().close(fd);
  };

  return {
    name: "haproxy",
    failed,
    get listening() {
      return running === undefined
        ? []
        : listening.map(({ address, port, tls, proxyProtocol }) => ({ address, port, tls, proxyProtocol }));
    },
    ...(ground.accessLog === undefined
      ? {
          readCounts: () =>
            inTurn(async () => {
              await count();
              return counts.all();
            }),
        }
      : {}),
    apply: (plan) =>
      inTurn(async () => {
        if (isOver) throw new Error("changing what Ingress carries: it has ended");
        // Workers that are ending take no change of servers; who is behind them does.
        if (isStopped) return behind?.apply(plan);
        if (compiled === undefined) await first(plan);
        else {
          await look();
          await change(plan);
        }
      }),
    stop(drain) {
      endBy = Math.min(endBy, clock.now() + drain);
      // What is behind may be all that is left to be waited for.
      if (stopped !== undefined) void behind?.stop(left());
      stopped ??= inTurn(drainWorkers).then(end);
      return stopped;
    },
  };
}
