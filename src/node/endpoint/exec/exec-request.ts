import { ApiError } from "../../../api/status.ts";
import { isSet } from "../flag.ts";
import type { WantedStreams } from "./exec-channels.ts";

/** Reads which streams the query of an exec or attach request asks for: kubelet's words (`input`) and the API's (`stdin`). Throws ApiError BadRequest. */
export function wantedStreams(query: URLSearchParams): WantedStreams {
  const tty = isSet(query, "tty");
  const streams = {
    stdin: isSet(query, "input", "stdin"),
    stdout: isSet(query, "output", "stdout"),
    // A terminal shows errors among the rest.
    stderr: isSet(query, "error", "stderr") && !tty,
    tty,
  };
  if (!streams.stdin && !streams.stdout && !streams.stderr) {
    throw new ApiError("BadRequest", "you must specify at least 1 of stdin, stdout, stderr");
  }
  return streams;
}

/** The program and its arguments. Throws ApiError BadRequest. */
export function commandOf(query: URLSearchParams): readonly string[] {
  const command = query.getAll("command");
  if (command.length > 0 && command[0] !== "") return command;
  throw new ApiError("BadRequest", "the query names no command: it must have command=PROGRAM");
}
