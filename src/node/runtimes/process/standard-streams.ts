import { chown } from "node:fs/promises";
import { join } from "node:path";
import type { Container } from "../../../api/generated/types.ts";
import type { LaunchedStdin } from "../../../host/launcher.ts";
import { identityOf, type ProcessIdentity } from "../../../host/process-identity.ts";
import { closeAll, holdTerminal, makeTerminal } from "../../../host/terminal.ts";

/** What can be attached to of a container; the rest of its streams is its log. */
export interface AttachableStreams {
  /** A named pipe that is the program's standard input. */
  readonly stdin?: { readonly pipe: string; readonly once: boolean };
  /** The process that holds the container's terminal: the master is its standard input. */
  readonly terminal?: ProcessIdentity & { readonly stdin: boolean };
}

/** A container's streams as they are made before its program is started. */
export interface PreparedStreams {
  readonly attachable: AttachableStreams;
  readonly launched: LaunchedStdin | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** Comes before the container's command, inside: what runs there has given up its rights. */
  readonly prefix: readonly string[];
  /** To be called once the program has begun, or will not. */
  begun(): Promise<void>;
}

/** What a terminal of a container is, when nothing says otherwise; as other runtimes say it. */
export const TERM = "xterm";

/**
 * A container outlives us, so nothing of its streams is ours: a terminal is held by a small process of its own, which also writes the log,
 * and standard input is a pipe with a name. `directory` is the start's own; `setsid` is that tool's path, the same inside.
 */
export async function prepareStreams(
  container: Container,
  log: string,
  directory: string,
  owner: { readonly user: number; readonly group: number },
  setsid: string,
): Promise<PreparedStreams> {
  if (container.tty === true) {
    const { master, slave, number } = makeTerminal("/dev/ptmx", owner);
    let holder: ProcessIdentity | undefined;
    try {
      const pid = await holdTerminal(master, log);
      holder = (await identityOf(pid)) ?? { pid, startTicks: -1 };
    } catch (error) {
      closeAll(slave);
      throw error;
    }
    return {
      attachable: { terminal: { ...holder, stdin: container.stdin === true } },
      launched: { terminal: `/dev/pts/${number}` },
      env: { TERM },
      // Not outside: Ctrl-C would also end what watches the container.
      prefix: [setsid, "--ctty", "--wait"],
      // Until then this keeps the holder from seeing a terminal that nobody has.
      begun: () => Promise.resolve(closeAll(slave)),
    };
  }
  if (container.stdin !== true) {
    return { attachable: {}, launched: undefined, env: {}, prefix: [], begun: () => Promise.resolve() };
  }
  const pipe = join(directory, "stdin");
  return {
    attachable: { stdin: { pipe, once: container.stdinOnce === true } },
    launched: { pipe },
    env: {},
    prefix: [],
    // The program may open it again, as /dev/stdin.
    begun: () => chown(pipe, owner.user, owner.group).catch(() => {}),
  };
}
