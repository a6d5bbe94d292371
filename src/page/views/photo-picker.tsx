import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { PhotoList } from "../../server/api.ts";
import { get, send } from "../ask.ts";
import { attempt } from "../notice.tsx";
import { saidBy } from "../../system/said-by.ts";

/** The folder of the photos, on the server's machine. */
export const folder = signal("");
const batch = signal<string | undefined>(undefined);
const list = signal<PhotoList | undefined>(undefined);
const busy = signal<string | undefined>(undefined);
/** Photos that were dropped and taken. */
export const Dropped = signal(0);

/** What the form says of how photos are cut. */
export interface HowCut {
  readonly resolution: string | undefined;
  readonly crop: string | undefined;
  readonly model: string | undefined;
}

function queryOf(how: HowCut): string {
  // the model matters to the steps of buckets alone
  const { model, ...rest } = how;
  const all = how.crop === "bucket" ? { ...rest, model } : rest;
  const given = Object.entries(all).flatMap(([name, value]: [string, string | undefined]) =>
    value === undefined || value === "" ? [] : [[name, value]],
  );
  return given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`;
}

async function refresh(how: HowCut): Promise<void> {
  if (batch.value === undefined) return;
  const found = await get<PhotoList>(`/api/photos/${batch.value}${queryOf(how)}`).catch(() => undefined);
  list.value = found;
  Dropped.value = found?.photos.length ?? 0;
  folder.value = found !== undefined && found.photos.length > 0 ? found.folder : "";
}

async function take(files: readonly File[], how: HowCut): Promise<void> {
  batch.value ??= (await send<{ readonly batch: string }>("POST", "/api/photos")).batch;
  for (const [i, file] of files.entries()) {
    busy.value = `taking ${i + 1} of ${files.length}`;
    await attempt(async () => {
      await send("PUT", `/api/photos/${batch.value ?? ""}/${encodeURIComponent(file.name)}`, file).catch(
        (error: unknown) => {
          throw new Error(`${file.name}: ${saidBy(error)}`);
        },
      );
    });
  }
  busy.value = "looking at them";
  await refresh(how);
  busy.value = undefined;
}

/** Photos to drop, or a folder to name; shown as training will see them. */
export function PhotoPicker(how: HowCut) {
  const query = queryOf(how);
  useEffect(() => void refresh(how), [query]);
  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    void take([...(event.dataTransfer?.files ?? [])], how);
  };
  const photos = list.value?.photos ?? [];
  return (
    <section>
      <h2>Photos</h2>
      <div class="drop" onDragOver={(event) => event.preventDefault()} onDrop={onDrop}>
        <p>Drop 4 to 6 photos of your subject here, in different poses and places, or</p>
        <label class="file">
          <span>choose them</span>
          <input
            type="file"
            accept="image/*"
            multiple
            onChange={({ currentTarget }) => {
              void take([...(currentTarget.files ?? [])], how);
              currentTarget.value = "";
            }}
          />
        </label>
        <p class="hint" role="status">
          {busy.value}
        </p>
      </div>
      {photos.length > 0 && (
        <ul class="picked" aria-label="Photos as they are trained">
          {photos.map(({ name, width, height, bucket, problem }) => (
            <li key={name}>
              {problem === undefined ? (
                <img
                  src={`/api/photos/${batch.value ?? ""}/${encodeURIComponent(name)}/cut${query}`}
                  alt={name}
                  width={128}
                  height={128}
                />
              ) : (
                <span class="missing">{problem}</span>
              )}
              <small>
                {name}
                {width !== undefined && height !== undefined && `, ${width} × ${height}`}
                {bucket !== undefined && ` in ${bucket}`}
              </small>
              <button type="button" aria-label={`leave out ${name}`} onClick={() => void leaveOut(name, how)}>
                leave out
              </button>
            </li>
          ))}
        </ul>
      )}
      {list.value?.notes.map((note) => (
        <p key={note} class="hint">
          {note}
        </p>
      ))}
      <label class="field">
        <span>or a folder on the machine that trains</span>
        <input
          type="text"
          value={photos.length > 0 ? "" : folder.value}
          disabled={photos.length > 0}
          placeholder={photos.length > 0 ? "the photos above" : "/home/me/photos/my-dog"}
          onInput={({ currentTarget }) => (folder.value = currentTarget.value)}
        />
      </label>
    </section>
  );
}

async function leaveOut(name: string, how: HowCut): Promise<void> {
  await attempt(() => send("DELETE", `/api/photos/${batch.value ?? ""}/${encodeURIComponent(name)}`));
  await refresh(how);
}
