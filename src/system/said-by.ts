/** What something that was thrown says: an error's message, or the thing itself as text. */
export function saidBy(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
