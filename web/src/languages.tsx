import { language, languages, speak, type Language } from "./i18n";

export function Languages() {
  return (
    <div class="languages" role="group">
      {(Object.keys(languages) as Language[]).map((l) => (
        <button type="button" key={l} class={l === language.value ? "chosen" : ""} aria-pressed={l === language.value} onClick={() => speak(l)}>
          {languages[l]}
        </button>
      ))}
    </div>
  );
}
