import { render } from "preact";
import { useState } from "preact/hooks";
import "../style.css";
import "./console.css";
import { language, speak, t } from "../i18n";
import { Languages } from "../languages";
import { key, refused, signIn, signOut } from "./api";
import { Calls } from "./calls";

function Console() {
  return (
    <main class="lobby">
      <header class="bar">
        <a class="brand" href="/">
          <img src="/icon.svg" alt="" width="28" height="28" /> roomgate · {t("console")}
        </a>
        {key.value && (
          <button type="button" class="out" onClick={signOut}>
            {t("signOut")}
          </button>
        )}
        <Languages />
      </header>
      {refused.value && <p class="notice bad refusal">{t("keyRefused")}</p>}
      {key.value ? <Calls /> : <SignIn />}
    </main>
  );
}

function SignIn() {
  const [value, setValue] = useState("");
  return (
    <section class="card over">
      <form
        onSubmit={(e) => {
          e.preventDefault();
          signIn(value);
        }}
      >
        <label class="field">
          <span>{t("apiKey")}</span>
          <input required type="password" autocomplete="off" data-testid="key" value={value} onInput={(e) => setValue(e.currentTarget.value)} />
        </label>
        <button class="primary" type="submit" data-testid="sign-in">
          {t("signIn")}
        </button>
      </form>
    </section>
  );
}

speak(language.value);
render(<Console />, document.getElementById("app")!);
