/** A setting in a message. */
export interface NamedSetting {
  /** Its name, such as `lr`. */
  readonly setting: string;
  /** What it is set to, where the message says it. */
  readonly value?: string;
}

/** What an error says. Settings in it are data: they are options of a program, and flags on the command line. */
export type Message = string | readonly (string | NamedSetting)[];
