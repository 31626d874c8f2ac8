/** The path as the kernel reads it, without `.` and double or trailing slashes; undefined where it has `..` or is not absolute. */
export function plainPath(path: string): string | undefined {
  if (!path.startsWith("/") || path.includes("\0")) return undefined;
  const steps = path.split("/").filter((step) => step !== "" && step !== ".");
  return steps.includes("..") ? undefined : `/${steps.join("/")}`;
}
