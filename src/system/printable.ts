/** A line without characters that a terminal would obey: names in messages come from files, and from programs, of others. */
export function printable(line: string): string {
  return line.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/** A text of others to be shown within a line of ours: printable, without line ends, cut when it is longer than `most` characters. */
export function oneLine(text: string, most: number): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return printable(cut.replace(/\s+/g, " ").trim());
}
