import { computed, type ReadonlySignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { RunStore } from "../run-store.ts";
import { Picture } from "./picture.tsx";

/** The subject's photos, as they are trained. */
export function Photos({ store }: { readonly store: RunStore }) {
  const photos: ReadonlySignal<readonly string[]> = useMemo(
    () => computed(() => (store.version.value >= 0 ? [...(store.view.value?.state.photos ?? [])] : [])),
    [store],
  );
  const side = store.view.value?.settings.resolution ?? 64;
  if (photos.value.length === 0) return null;
  return (
    <div class="photos" role="group" aria-label="Photos">
      {photos.value.map((path, i) => (
        <Picture key={path} run={store.id} path={path} side={side} thumb={160} alt={`photo ${i + 1}`} />
      ))}
    </div>
  );
}
