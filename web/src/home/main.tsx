import { render } from "preact";
import { useState } from "preact/hooks";
import "../style.css";
import { language, speak, t } from "../i18n";
import { Languages } from "../languages";

function Home() {
  const [alias, setAlias] = useState("demo");
  const host = location.hostname;
  return (
    <main class="lobby">
      <header class="bar">
        <a class="brand" href="/">
          <img src="/icon.svg" alt="" width="28" height="28" /> roomgate
        </a>
        <Languages />
      </header>
      <section class="card home">
        <form
          onSubmit={(e) => {
            e.preventDefault();
            location.href = `/m/${encodeURIComponent(alias.trim())}`;
          }}
        >
          <h1>roomgate</h1>
          <p>{t("tagline")}</p>
          <label class="field">
            <span>{t("meetingName")}</span>
            <input required maxLength={64} value={alias} onInput={(e) => setAlias(e.currentTarget.value)} />
          </label>
          <button class="primary" type="submit">
            {t("open")}
          </button>
        </form>
        <div class="dial">
          <h2>{t("howToDial")}</h2>
          <p>{t("dialHint")}</p>
          <code>sip:{alias.trim() || "demo"}@{host}</code>
          <a href="/console">{t("console")}</a>
        </div>
      </section>
    </main>
  );
}

speak(language.value);
render(<Home />, document.getElementById("app")!);
