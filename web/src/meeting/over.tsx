import { t } from "../i18n";
import { Languages } from "../languages";
import { alias, ending, stage } from "./session";

export function Over() {
  return (
    <main class="lobby">
      <header class="bar">
        <a class="brand" href="/">
          <img src="/icon.svg" alt="" width="28" height="28" /> roomgate
        </a>
        <Languages />
      </header>
      <section class="card over">
        <h1>{t(ending.value)}</h1>
        <p>{alias}</p>
        <button type="button" class="primary" onClick={() => (stage.value = "lobby")}>
          {t("again")}
        </button>
      </section>
    </main>
  );
}
