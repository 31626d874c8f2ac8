import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Container } from "../../api/generated/types.ts";
import { ConfigError } from "../environment/lookups.ts";
import type { ContainerStart, StartedContainer } from "../runtimes/runtime.ts";
import { StartError } from "../runtimes/start-error.ts";
import { plainPath } from "../volumes/plain-path.ts";
import { pause } from "./pause.ts";
import { containerStart } from "./prepare-pod.ts";
import type { SharedByContainers } from "./shared.ts";

/** How long until a container that could not be started is tried again, in milliseconds. */
const RETRY = 2_000;

/** Where the files of one start are that are read when it has ended. */
export interface StartFiles {
  readonly log: string;
  readonly terminationMessage: string;
}

export function startFiles({ context, record }: SharedByContainers, container: Container, attempt: number): StartFiles {
  return {
    log: join(context.files.logs(record), container.name, `${attempt}.log`),
    terminationMessage: join(context.files.pod(record.uid), container.name, String(attempt), "termination-log"),
  };
}

/** Gives the container an empty file to write its last words to, unless something of its own is mounted there. */
async function withTerminationLog(start: ContainerStart, file: string): Promise<ContainerStart> {
  const target = plainPath(start.container.terminationMessagePath || "/dev/termination-log");
  if (target === undefined || start.mounts.some((mount) => mount.target === target)) return start;
  await mkdir(start.directory, { recursive: true, mode: 0o700 });
  await writeFile(file, "");
  // Whoever the container runs as is to write here; nobody else reaches it, the directory being ours.
  await chmod(file, 0o666);
  return { ...start, mounts: [...start.mounts, { source: file, target, readOnly: false }] };
}

/**
 * Starts a container, and tries again until it goes. `refuse` hears why it did not; undefined when it is no longer to be started.
 * Throws StartError.
 */
export async function startContainer(
  shared: SharedByContainers,
  container: Container,
  attempt: number,
  refuse: (reason: string, message: string) => void,
): Promise<StartedContainer | undefined> {
  const { context, runtime, record, stopped } = shared;
  while (!stopped.aborted) {
    try {
      return await context.startInTurn(async () => {
        if (stopped.aborted) return undefined;
        const plan = await containerStart(context, shared.pod(), container, record, attempt);
        // Without a program there is nobody to write.
        const whole =
          runtime.judge === undefined
            ? await withTerminationLog(plan, startFiles(shared, container, attempt).terminationMessage)
            : plan;
        return stopped.aborted ? undefined : runtime.start(whole);
      });
    } catch (error) {
      if (error instanceof StartError) throw error;
      const isConfig = error instanceof ConfigError;
      refuse(isConfig ? "CreateContainerConfigError" : "RunContainerError", (error as Error).message);
      if (!isConfig) {
        context.log.warn({ pod: record.name, container: container.name, error }, "starting a container failed");
      }
      await pause(context.clock, RETRY, stopped);
    }
  }
  return undefined;
}
