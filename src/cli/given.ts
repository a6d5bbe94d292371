/** The options that were given, without commander's own defaults for --no-... flags. */
export function givenOnly(
  options: Readonly<Record<string, unknown>>,
  command: { getOptionValueSource(key: string): string | undefined },
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([key]) => command.getOptionValueSource(key) === "cli"));
}
