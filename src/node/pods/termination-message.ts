import { open } from "node:fs/promises";

/** What is kept of the file, and of the log in its place: bytes, and lines of the log (as the kubelet). */
const FILE_LIMIT = 4096;
const LOG_LIMIT = 2048;
const LOG_LINES = 80;

/** At most so many bytes from the start of a file, or from its end; empty where there is none. */
async function part(path: string, limit: number, from: "start" | "end"): Promise<string> {
  const file = await open(path, "r").catch(() => undefined);
  if (file === undefined) return "";
  try {
    const { size } = await file.stat();
    const at = from === "end" ? Math.max(0, size - limit) : 0;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(limit), 0, limit, at);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The last lines of a log that fit. */
function lastLines(text: string): string {
  const lines = text.split("\n");
  const isWhole = lines.at(-1) === "";
  return lines.slice(-(LOG_LINES + (isWhole ? 1 : 0))).join("\n");
}

/** The last words of a container: what it wrote to its `terminationMessagePath`, else the end of its log where the policy says so. */
export async function terminationMessage(
  file: string,
  log: string,
  policy: string | undefined,
  exitCode: number,
): Promise<string> {
  const said = await part(file, FILE_LIMIT, "start");
  if (said !== "" || policy !== "FallbackToLogsOnError" || exitCode === 0) return said;
  return lastLines(await part(log, LOG_LIMIT, "end"));
}
