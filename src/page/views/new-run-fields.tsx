import { signal } from "@preact/signals";
import type { FormField, FormGroup } from "../../server/api.ts";

/** What was filled in, as text; empty is the default. */
export const given = signal<Readonly<Record<string, string>>>({});

/** What was filled in, as the settings take it. Fields of other methods than the chosen one do not count. */
export function valuesGiven(groups: readonly FormGroup[]): Record<string, string | boolean> {
  const fields = groups.flatMap((group) => group.fields);
  const method = given.value["method"] || "rpo";
  return Object.fromEntries(
    Object.entries(given.value).flatMap(([key, text]) => {
      const field = fields.find((each) => each.key === key);
      const belongs = field?.methods === undefined || field.methods.includes(method);
      if (text.trim() === "" || !belongs) return [];
      return [[key, field?.isSwitch === true ? text === "true" : text.trim()]];
    }),
  );
}

/** A setting, with its default as what stands there. */
export function Field({ field: { key, name, help, usual, choices, isSwitch } }: { readonly field: FormField }) {
  const value = given.value[key] ?? "";
  const set = (text: string): void => void (given.value = { ...given.value, [key]: text });
  const options = isSwitch === true ? [{ name: "true" }, { name: "false" }] : choices;
  const named = value === "" ? usual : value;
  const about = choices?.find((each) => each.name === named)?.about;
  return (
    <label class="field">
      <span>{name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}</span>
      {options === undefined ? (
        <input
          type="text"
          name={key}
          value={value}
          placeholder={usual}
          autocomplete="off"
          spellcheck={false}
          onInput={({ currentTarget }) => set(currentTarget.value)}
        />
      ) : (
        <select name={key} value={value} onChange={({ currentTarget }) => set(currentTarget.value)}>
          <option value="">{usual === undefined ? "default" : `default: ${usual}`}</option>
          {options.map((option) => (
            <option key={option.name} value={option.name}>
              {option.name}
            </option>
          ))}
        </select>
      )}
      <small>{about ?? help}</small>
    </label>
  );
}
