import { render } from "preact";
import "../style.css";
import "./meeting.css";
import { language, speak } from "../i18n";
import { Lobby } from "./lobby";
import { Meeting } from "./meeting";
import { Over } from "./over";
import { alias, stage } from "./session";

function Page() {
  switch (stage.value) {
    case "meeting":
      return <Meeting />;
    case "over":
      return <Over />;
    default:
      return <Lobby />;
  }
}

speak(language.value);
document.title = `${alias} · roomgate`;
render(<Page />, document.getElementById("app")!);
