import { signal } from "@preact/signals";

const THEMES = ["system", "light", "dark"] as const;
const KEY = "rpo-theme";

const theme = signal(THEMES.find((each) => each === localStorage.getItem(KEY)) ?? "system");
document.documentElement.dataset["theme"] = theme.value;

export function ThemeButton() {
  const next = () => {
    theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length];
    document.documentElement.dataset["theme"] = theme.value;
    localStorage.setItem(KEY, theme.value);
  };
  return (
    <button type="button" class="quiet" aria-label={`theme: ${theme.value}`} onClick={next}>
      <span class="theme-word">theme: </span>
      {theme.value}
    </button>
  );
}
