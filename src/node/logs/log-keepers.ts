import { keepLog, type LogKeeper, type LogKeeperOptions } from "./keep-log.ts";

/** The keepers of the logs of all containers that run. A path that is not known is a container of an older release: it has none. */
export interface LogKeepers {
  keep(path: string | undefined): void;
  /** Looks a last time, and leaves the log. */
  stop(path: string | undefined): void;
  stopAll(): void;
}

export function logKeepers(options: LogKeeperOptions): LogKeepers {
  const keepers = new Map<string, LogKeeper>();
  return {
    keep(path) {
      if (path !== undefined && !keepers.has(path)) keepers.set(path, keepLog(path, options));
    },
    stop(path = "") {
      keepers.get(path)?.stop();
      keepers.delete(path);
    },
    stopAll() {
      for (const keeper of keepers.values()) keeper.stop();
      keepers.clear();
    },
  };
}
