import { childrenOf, environmentOf, identityOf, signalProcess } from "../../../host/process-identity.ts";
import type { Host } from "../../../host/host.ts";
import type { ExecRequest, Execution } from "../runtime.ts";
import { becomeOptions, joinWords } from "./enter.ts";
import type { StartedProcess } from "./started.ts";
import { splitEnvironment } from "./confinement.ts";

/**
 * Runs a further program in a container, as the container's user, with no capability and no way to gain one.
 * The rights are given up by tools of the host, outside: nothing that the pod could have put in place runs before that.
 */
export async function execInContainer(
  host: Host,
  tools: { readonly nsenter: string; readonly setpriv: string },
  init: number,
  started: StartedProcess,
  request: ExecRequest,
  rootless: boolean,
): Promise<Execution> {
  const [program] = await childrenOf(init);
  const { safe, late } = splitEnvironment(await environmentOf(program ?? init));
  // What nsenter cannot give: further groups, and just those capabilities that root has in the container.
  const inside =
    !rootless && (started.user === 0 || (started.supplementary ?? []).length > 0)
      ? [tools.setpriv, ...becomeOptions(started), "--no-new-privs", "--"]
      : [];
  const [command = "", ...args] = [
    ...joinWords(started),
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
    ...inside,
    ...(late.length === 0 ? [] : ["/usr/bin/env", ...late]),
    ...request.command,
  ];
  const running = await host.open(command, args, { env: safe });
  if (!request.stdin) running.stdin.end();
  return {
    ...(request.stdin ? { stdin: running.stdin } : {}),
    stdout: running.stdout,
    stderr: running.stderr,
    ended: running.ended,
    kill: () => {
      // nsenter waits outside for its child inside; ending only nsenter would leave the child.
      void childrenOf(running.pid).then(async (children) => {
        for (const child of children) {
          const identity = await identityOf(child);
          if (identity !== undefined) await signalProcess(identity, "SIGKILL");
        }
        running.kill("SIGKILL");
      });
    },
  };
}
