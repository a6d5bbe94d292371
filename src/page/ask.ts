import type { Problem } from "../server/api.ts";

/** Requests to the page's own server. */

export async function get<T>(path: string): Promise<T> {
  return answerOf<T>(await fetch(path));
}

/** Something that changes what is there, or takes long. @param signal gives it up. @throws Error with what the server says */
export async function send<T = object>(
  method: "POST" | "PUT" | "DELETE",
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  const isFile = body instanceof Blob;
  return answerOf<T>(
    await fetch(path, {
      method,
      headers: { "x-rpo": "1", ...(body !== undefined && !isFile && { "content-type": "application/json" }) },
      ...(signal !== undefined && { signal }),
      ...(body !== undefined && { body: isFile ? body : JSON.stringify(body) }),
    }),
  );
}

async function answerOf<T>(response: Response): Promise<T> {
  const text = await response.text();
  if (!response.ok) throw new Error(problemIn(text) ?? `the server answered ${response.status}`);
  return JSON.parse(text) as T;
}

function problemIn(text: string): string | undefined {
  try {
    return (JSON.parse(text) as Partial<Problem>).error;
  } catch {
    return text.trim() === "" ? undefined : text.trim().slice(0, 300);
  }
}
