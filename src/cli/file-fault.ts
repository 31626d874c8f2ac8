import { sentenceOf } from "./failure.ts";

/** Why a file could not be read, as a sentence that names it; of any other error its own. `path` is the file where the error does not say. */
export function fileFault(error: unknown, path?: string): string {
  const { code, path: its = path } = error as NodeJS.ErrnoException;
  const file = its ?? "a file";
  if (code === "ENOENT") return `there is no file ${file}`;
  if (code === "EISDIR") return `${file} is a directory, and should be a file`;
  if (code === "EACCES" || code === "EPERM") return `this user may not read ${file}`;
  return sentenceOf(error);
}
