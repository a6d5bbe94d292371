/** Flags in a message, but for those of a command that it advises: `rpo train --resume --output DIR` stays. */
const FLAGS = /rpo [a-z]+ [^;,()]*|(?<![\w/.-])--([a-z]+(?:-[a-z]+)*)/g;

/** Does work whose errors name settings as the command line does, and names them as a program does: `--lora-alpha 0` is `loraAlpha 0`. */
export async function withOptionNames<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error) rename(error);
    throw error;
  }
}

function rename(error: Error): void {
  const message = inOptionNames(error.message);
  if (message === error.message) return;
  const { stack } = error;
  const before = error.message;
  error.message = message;
  if (stack !== undefined) error.stack = stack.replace(before, () => message);
}

/** --lora-alpha -> loraAlpha */
export function inOptionNames(message: string): string {
  return message.replace(FLAGS, (all: string, flag: string | undefined) =>
    flag === undefined ? all : flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()),
  );
}
