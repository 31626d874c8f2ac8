import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { arch } from "node:os";
import { join } from "node:path";
import { connectionsWaitingAt } from "../../../host/accept-queues.ts";
import { identityOf, isRunning, signalGroup, signalProcess, waitForEnd } from "../../../host/process-identity.ts";
import type { Host } from "../../../host/host.ts";
import { createLauncher } from "../../../host/launcher.ts";
import { punchHole } from "../../../host/punch-hole.ts";
import { watchFile } from "../../../host/watched-file.ts";
import type { Log } from "../../../observe/log.ts";
import { logKeepers } from "../../logs/log-keepers.ts";
import { namespacePath } from "../../sandbox/sandbox.ts";
import type { ContainerStart, Runtime } from "../runtime.ts";
import { attachToContainer, endInput, programEnd } from "./attach.ts";
import { begun, checkRan, endAllLeftovers, endLeftover, programOf, type ProcessSight } from "./begin.ts";
import { bubblewrapOptions, confinedCommand, inheritedEnvironment, type Confinement } from "./confinement.ts";
import { execInContainer } from "./exec.ts";
import { capabilitiesOf } from "./capabilities.ts";
import { homeView, ownHomes } from "./home.ts";
import { createLimits, type Limits } from "./limits.ts";
import { mountsIn } from "./mounts-in-view.ts";
import { processRefusal } from "./refusal.ts";
import { prepareStreams } from "./standard-streams.ts";
import { startedProcess, type StartedProcess } from "./started.ts";
import { readReport } from "./status-file.ts";
import { freshViews } from "./fresh-view.ts";
import { systemCallFilter } from "./system-calls.ts";
import { groupOf, groupsOf, userOf } from "./user.ts";
import { buildHostView, type HostView } from "./view.ts";

export interface ProcessRuntimeOptions {
  readonly host: Host;
  readonly log: Log;
  /** An empty directory to build the view on. */
  readonly scratch: string;
  readonly hidden: readonly string[];
  readonly nodeBinary: string;
  readonly rootless: boolean;
  /** Pods may have the host's network, files and root. */
  readonly allowHostAccess: boolean;
  /** Tells the nodes of one machine apart where they make cgroups. */
  readonly cgroup: string;
  /** The machine's memory, as a quantity. */
  readonly memory: string;
}

export interface ProcessRuntime extends Runtime {
  /** Once prepared: what containers are not held to here and why, as a sentence; undefined when they are held to all. */
  limits(): string | undefined;
}

/** What no program of this process can have more than (proc(5), `CapBnd`). */
const boundingSet = async (): Promise<bigint> =>
  BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(await readFile("/proc/self/status", "utf8"))?.[1] ?? "0"}`);

/** How old a view of the host's files may be that a container starts from, in milliseconds. */
const VIEW_LIMIT = 1000;
/** How often an exit is looked for where the kernel's notice was lost, in milliseconds. */
const LIVENESS_POLL = 5_000;
/** How long the end of a container waits for what its terminal shows to be in the log, in milliseconds. */
const LAST_WORDS = 500;
/** The exit code of a container whose monitor was killed and could say none: as by SIGKILL. */
const KILLED = 137;

/** A container is a program of this machine's file system, confined by bubblewrap (0.6 or newer). */
export function processRuntime(options: ProcessRuntimeOptions): ProcessRuntime {
  const { host, rootless } = options;
  const launcher = createLauncher(host);
  const views = freshViews(
    () => buildHostView(host, options.log, options.scratch, options.hidden),
    () => performance.now(),
    VIEW_LIMIT,
  );
  let limits: Limits | undefined;
  /** The capabilities that we have to give, as the kernel's bits. */
  let held = 0n;
  let tools = { nsenter: "", setpriv: "", setsid: "", bwrap: "" };
  let hidden: string[] = [];
  const filter = systemCallFilter(arch());
  const filterFile = `${options.scratch}.filter`;

  const find = async (name: string): Promise<string> => {
    const path = await host.which(name);
    if (path === undefined) throw new Error(`preparing the process runtime: ${name} is not installed, or not in PATH`);
    return path;
  };

  const logs = logKeepers({ log: options.log, punchHole });

  const status = async (started: StartedProcess): Promise<ProcessSight> => {
    // Whether it runs is asked first: an exit between the two questions is then found in the file.
    const runs = await isRunning(started.monitor);
    const { init, exitCode } = readReport(await readFile(started.statusFile, "utf8").catch(() => ""));
    if (exitCode === undefined && runs) {
      return init === undefined ? { state: "starting" } : { state: "running", init };
    }
    // With its program a container is over, but bubblewrap's first process waits for whatever that program left behind.
    const rest = init === undefined ? undefined : await identityOf(init);
    // Begun within two seconds of its monitor it is ours; later, the id was given to a stranger.
    if (rest !== undefined && rest.startTicks - started.monitor.startTicks < 200) await signalProcess(rest, "SIGKILL");
    // What was shown on its terminal last is still on its way to the log.
    const terminal = started.streams?.terminal;
    if (terminal !== undefined) await waitForEnd(terminal, LAST_WORDS);
    if (started.streams?.stdin !== undefined) await endInput(started.streams.stdin.pipe);
    logs.stop(started.log);
    const code = exitCode ?? KILLED;
    const reason = await limits?.ended(started);
    return { state: "exited", exitCode: code, ...(reason === undefined || code === 0 ? {} : { reason }) };
  };

  /** Starts a container from a view of the host's files; resolves once its own program runs. */
  const startIn = async (view: HostView, start: ContainerStart): Promise<StartedProcess> => {
    if (limits === undefined) throw new Error("starting a container: the process runtime is not prepared");
    await mkdir(start.directory, { recursive: true, mode: 0o700 });
    const mounts = await mountsIn(view, start.mounts);
    const { pod, container } = start;
    const user = userOf(pod, container);
    const group = groupOf(pod, container);
    // Rootless it is ours, and so the pod's, already.
    const owner = rootless ? { user: -1, group: -1 } : { user, group };
    const streams = await prepareStreams(container, start.log, start.directory, owner, tools.setsid);
    const confinement: Confinement = {
      view: view.entries(),
      homes: rootless ? (await Promise.all(ownHomes().map(homeView))).filter((home) => home !== undefined) : [],
      shown: view.shown,
      filter: filter === undefined ? undefined : 5,
      hidden,
      nodeBinary: options.nodeBinary,
      mounts,
      hostname: start.hostname,
      workingDir: start.container.workingDir || "/",
      env: { ...streams.env, ...start.env },
      user,
      group,
      groups: groupsOf(pod),
      capabilities: capabilitiesOf(container, user, held),
      privileged: container.securityContext?.privileged === true,
      hostIPC: pod.spec?.hostIPC === true,
      setpriv: tools.setpriv,
      counted: limits.counted,
      rootless,
    };
    const argsFile = join(start.directory, "options");
    const environmentFile = join(start.directory, "environment");
    const statusFile = join(start.directory, "status");
    await writeFile(
      argsFile,
      bubblewrapOptions(confinement)
        .map((option) => `${option}\0`)
        .join(""),
      { mode: 0o600 },
    );
    await writeFile(environmentFile, inheritedEnvironment(start.env), { mode: 0o600 });
    const network = namespacePath(start.sandbox) ?? "/proc/self/ns/net";
    await endLeftover(statusFile, network);
    const groups = await limits.make(start);
    try {
      const pid = await launcher.start(
        ...limits.joined(groups, start, [
          tools.nsenter,
          `--net=${network}`,
          `--mount=${view.namespace}`,
          tools.bwrap,
          "--json-status-fd",
          "3",
          "--args",
          "4",
          "--",
          ...confinedCommand(confinement, [...streams.prefix, ...start.command]),
        ]),
        {
          output: start.log,
          file: statusFile,
          inputs: [argsFile, filter === undefined ? "/dev/null" : filterFile],
          environment: environmentFile,
          stdin: streams.launched,
        },
      );
      logs.keep(start.log);
      const monitor = await identityOf(pid);
      const started: StartedProcess = {
        monitor: monitor ?? { pid, startTicks: -1 },
        statusFile,
        user: confinement.user,
        group: confinement.group,
        supplementary: confinement.groups,
        capabilities: confinement.capabilities,
        groups,
        log: start.log,
        streams: streams.attachable,
      };
      const sight = await begun(() => status(started));
      // They hold the environment, secrets and all.
      await Promise.all([argsFile, environmentFile].map((file) => rm(file, { force: true })));
      await checkRan(start, sight);
      return started;
    } finally {
      await streams.begun();
    }
  };

  return {
    name: "process",
    network: "own",
    refusal: (pod) => processRefusal(pod, { rootless, hostAccess: options.allowHostAccess }),
    limits: () => limits?.missing,
    async prepare() {
      const [nsenter = "", setpriv = "", setsid = "", bwrap = ""] = await Promise.all(
        ["nsenter", "setpriv", "setsid", "bwrap"].map(find),
      );
      tools = { nsenter, setpriv, setsid, bwrap };
      limits = await createLimits(options.cgroup, options.memory, await host.which("prlimit"));
      held = await boundingSet();
      hidden = [];
      // What is inside a hidden directory is hidden with it.
      const outer = options.hidden.filter((path) => !options.hidden.some((other) => path.startsWith(`${other}/`)));
      for (const path of outer) if ((await stat(path).catch(() => undefined))?.isDirectory()) hidden.push(path);
      if (filter !== undefined) await writeFile(filterFile, filter, { mode: 0o600 });
      // Built now, so that a machine that cannot do it says so at the start and the first pods need not wait.
      (await views.take()).done();
    },
    async start(start: ContainerStart) {
      const { view, done } = await views.take();
      try {
        return await startIn(view, start);
      } finally {
        done();
      }
    },
    async adopt(container) {
      const started = startedProcess(container);
      logs.keep(started.log);
      await status(started);
    },
    status: (started) => status(startedProcess(started)),
    watch: (started, callback) => watchFile(startedProcess(started).statusFile, LIVENESS_POLL, callback),
    async stop(container, signal) {
      const started = startedProcess(container);
      const sight = await status(started);
      if (sight.state === "exited") return;
      if (signal === "SIGKILL") limits?.release(started);
      if (sight.state === "starting") {
        // All there is so far is in the monitor's process group.
        await signalGroup(started.monitor, "SIGKILL");
        return;
      }
      const program = signal === "SIGKILL" ? undefined : await programOf(sight.init);
      const target = await identityOf(program ?? sight.init);
      // The first process of the sandbox is bubblewrap's, which reaps; without a program in it there is nothing to ask politely.
      if (target !== undefined)
        await signalProcess(target, program === undefined ? "SIGKILL" : (signal as NodeJS.Signals));
    },
    async exec(container, request) {
      const started = startedProcess(container);
      const sight = await status(started);
      if (sight.state !== "running") throw new Error(`running ${request.command[0]} in a container: it is not running`);
      const filterOrNone = filter === undefined ? undefined : filterFile;
      return execInContainer(host, { ...tools, filter: filterOrNone }, sight.init, started, request, rootless);
    },
    async endLeftovers(directory, sandbox) {
      const network = namespacePath(sandbox);
      // In the node's own network a program could not be told from a stranger that was given its id.
      if (network !== undefined) await endAllLeftovers(directory, network);
    },
    async waiting(container) {
      const sight = await status(startedProcess(container));
      return sight.state === "running" ? connectionsWaitingAt(sight.init) : 0;
    },
    async attach(container, request) {
      const started = startedProcess(container);
      if ((await status(started)).state === "exited") throw new Error("attaching to a container: it has ended");
      return attachToContainer(
        started,
        request,
        programEnd(started.statusFile, LIVENESS_POLL, () => status(started)),
      );
    },
    async close() {
      logs.stopAll();
      await launcher.close();
      await views.close();
      await limits?.close();
    },
  };
}
