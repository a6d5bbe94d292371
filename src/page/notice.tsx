import { signal } from "@preact/signals";
import { saidBy } from "../system/said-by.ts";

/** A line about what was just done, or could not be; read out, and gone after a while. */
const notice = signal<{ readonly text: string; readonly isProblem: boolean } | undefined>(undefined);
let timer: ReturnType<typeof setTimeout> | undefined;

export function tell(text: string, isProblem = false): void {
  notice.value = { text, isProblem };
  clearTimeout(timer);
  timer = setTimeout(() => (notice.value = undefined), isProblem ? 12_000 : 5_000);
}

/** Does something, and tells where it cannot be done. @returns whether it was done */
export async function attempt(work: () => Promise<unknown>, done?: string): Promise<boolean> {
  try {
    await work();
    if (done !== undefined) tell(done);
    return true;
  } catch (error) {
    tell(saidBy(error), true);
    return false;
  }
}

export function Notice() {
  const shown = notice.value;
  return (
    <div class="notice-place" role="status" aria-live="polite">
      {shown !== undefined && (
        <p class={`notice ${shown.isProblem ? "problem" : ""}`}>
          {shown.text}{" "}
          <button type="button" onClick={() => (notice.value = undefined)}>
            close
          </button>
        </p>
      )}
    </div>
  );
}
