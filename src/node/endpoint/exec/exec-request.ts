import { ApiError } from "../../../api/status.ts";
import { isSet } from "../flag.ts";
import type { WantedStreams } from "./exec-channels.ts";

export interface AskedExec {
  readonly command: readonly string[];
  readonly streams: WantedStreams;
}

/** Reads the query of an exec request: kubelet's words (`input`) and the API's (`stdin`). Throws ApiError BadRequest. */
export function execRequest(query: URLSearchParams): AskedExec {
  const command = query.getAll("command");
  if (command.length === 0 || command[0] === "") {
    throw new ApiError("BadRequest", "the query names no command: it must have command=PROGRAM");
  }
  if (isSet(query, "tty")) {
    throw new ApiError(
      "BadRequest",
      "a terminal (tty) is not supported by this node yet: leave out -t; commands run with plain streams",
    );
  }
  const streams = {
    stdin: isSet(query, "input", "stdin"),
    stdout: isSet(query, "output", "stdout"),
    stderr: isSet(query, "error", "stderr"),
  };
  if (!streams.stdin && !streams.stdout && !streams.stderr) {
    throw new ApiError("BadRequest", "you must specify at least 1 of stdin, stdout, stderr");
  }
  return { command, streams };
}
