/**
 * Replaces `$(NAME)` by what `look` answers; a name without an answer stays as it is written, and `$$` is one `$`,
 * so that `$$(NAME)` is never replaced (DNS-171).
 */
export const expand = (text: string, look: (name: string) => string | undefined): string =>
  text.replaceAll(/\$\$|\$\(([^)]*)\)/g, (all, name: string | undefined) =>
    all === "$$" ? "$" : (look(name ?? "") ?? all),
  );
