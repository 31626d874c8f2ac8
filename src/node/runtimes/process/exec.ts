import { Readable } from "node:stream";
import { childrenOf, descendantsOf, environmentOf, identityOf, signalProcess } from "../../../host/process-identity.ts";
import type { Host } from "../../../host/host.ts";
import { makeTerminal, runOnTerminal } from "../../../host/terminal.ts";
import type { ExecRequest, Execution } from "../runtime.ts";
import { becomeOptions, joinWords } from "./enter.ts";
import type { StartedProcess } from "./started.ts";
import { splitEnvironment } from "./confinement.ts";
import { TERM } from "./standard-streams.ts";

export interface ExecTools {
  readonly nsenter: string;
  readonly setpriv: string;
  readonly bwrap: string;
  /** File of the seccomp program that containers are started with, where there is one. */
  readonly filter: string | undefined;
}

/**
 * Ends a program with all that it started. What enters the container waits outside for its child inside; ending only that would leave
 * the child.
 */
async function endAll(pid: number): Promise<void> {
  const all = await Promise.all([pid, ...(await descendantsOf(pid))].map(identityOf));
  const there = all.filter((each) => each !== undefined);
  await Promise.all(there.map((each) => signalProcess(each, "SIGKILL")));
}

/**
 * Runs a further program in a container, as the container's user, with no capability and no way to gain one, and with the container's
 * filter of system calls. The rights are given up by tools of the host, outside: nothing that the pod could have put in place runs before
 * that. bubblewrap is here only for the filter: it shows all of the host, and only tools of the host run in it.
 */
export async function execInContainer(
  host: Host,
  tools: ExecTools,
  init: number,
  started: StartedProcess,
  request: ExecRequest,
  rootless: boolean,
): Promise<Execution> {
  const [program] = await childrenOf(init);
  const isTerminal = request.tty === true;
  const container = await environmentOf(program ?? init);
  const { safe, late } = splitEnvironment(isTerminal ? { TERM, ...container } : container);
  const filtered =
    tools.filter === undefined ? [] : [tools.bwrap, "--dev-bind", "/", "/", "--cap-add", "ALL", "--seccomp", "3", "--"];
  // What nsenter cannot give: further groups, and just those capabilities that root has in the container.
  const inside =
    !rootless && (started.user === 0 || (started.supplementary ?? []).length > 0)
      ? [tools.setpriv, ...becomeOptions(started), "--no-new-privs", "--"]
      : [];
  const [command = "", ...args] = [
    ...joinWords(started),
    ...filtered,
    tools.setpriv,
    "--no-new-privs",
    tools.nsenter,
    "--target",
    String(init),
    "--net",
    "--mount",
    "--pid",
    "--uts",
    "--ipc",
    "--wd",
    // In a user namespace nsenter keeps the one user there is; a program of a user other than 0 gets no capability from exec.
    ...(rootless
      ? ["--user", "--preserve-credentials"]
      : inside.length > 0
        ? []
        : ["--setuid", String(started.user), "--setgid", String(started.group)]),
    "--",
    // Inside, so that what leads the session has a number there, which shells with job control ask for.
    ...(isTerminal ? ["/usr/bin/setsid", "--ctty", "--wait"] : []),
    ...inside,
    ...(late.length === 0 ? [] : ["/usr/bin/env", ...late]),
    ...request.command,
  ];
  const inputs = tools.filter === undefined ? [] : [tools.filter];
  if (isTerminal) {
    const owner = rootless ? { user: -1, group: -1 } : started;
    const terminal = makeTerminal(`/proc/${init}/root/dev/pts/ptmx`, owner);
    const running = await runOnTerminal(command, args, terminal, { env: safe, inputs });
    return {
      ...(request.stdin ? { stdin: running.typed } : {}),
      stdout: running.shown,
      stderr: Readable.from([]),
      ended: running.ended,
      resize: running.resize,
      kill: () => {
        // Hangs up, which also reaches what the program has put into the background.
        void endAll(running.pid).finally(running.hangUp);
      },
    };
  }
  const running = await host.open(command, args, { env: safe, inputs });
  if (!request.stdin) running.stdin.end();
  return {
    ...(request.stdin ? { stdin: running.stdin } : {}),
    stdout: running.stdout,
    stderr: running.stderr,
    ended: running.ended,
    kill: () => void endAll(running.pid),
  };
}
