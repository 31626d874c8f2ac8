/** The path as the kernel reads it, without `.` and double or trailing slashes; undefined where it has `..` or is not absolute. */
export function plainPath(path: string): string | undefined {
  if (!path.startsWith("/") || path.includes("\0")) return undefined;
  const steps = path.split("/").filter((step) => step !== "" && step !== ".");
  return steps.includes("..") ? undefined : `/${steps.join("/")}`;
}

/** The same for a path that goes on from another: undefined where it would leave that, or is nothing. */
export function plainPart(path: string): string | undefined {
  if (path.startsWith("/")) return undefined;
  const plain = plainPath(`/${path}`);
  return plain === undefined || plain === "/" ? undefined : plain.slice(1);
}
