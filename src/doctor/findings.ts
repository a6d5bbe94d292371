/** What rpo doctor says about one thing. */
export interface Finding {
  readonly name: string;
  readonly value: string;
  /** "note": works, but the advice is worth a look. "fails": something will not work before the advice is followed. */
  readonly state: "ok" | "note" | "fails";
  /** One line: what to do. */
  readonly advice?: string;
}

export function ok(name: string, value: string): Finding {
  return { name, value, state: "ok" };
}

export function note(name: string, value: string, advice: string): Finding {
  return { name, value, state: "note", advice };
}

export function fails(name: string, value: string, advice: string): Finding {
  return { name, value, state: "fails", advice };
}
