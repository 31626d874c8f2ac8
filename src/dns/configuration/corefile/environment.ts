/** Variables of the environment; `{$NAME}` and `{%NAME%}` stand for them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Puts the values of variables in their place, once: what a value says is not looked into. One that is not set is empty, and told. */
export const substituted = (text: string, environment: Environment, unset: (name: string) => void): string =>
  text.replaceAll(/\{\$([^{}$%\s]+)\}|\{%([^{}%\s]+)%\}/g, (_whole, unix?: string, windows?: string) => {
    const name = unix ?? windows ?? "";
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (value === undefined) unset(name);
    return value ?? "";
  });
