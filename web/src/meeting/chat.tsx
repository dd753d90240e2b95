import { useEffect, useRef, useState } from "preact/hooks";
import { language, t } from "../i18n";
import { attend, lines, say } from "./lines";
import { Panel } from "./roster";
import { watchRoom } from "./session";

export function Chat({ onClose }: { onClose(): void }) {
  const room = watchRoom();
  const [text, setText] = useState("");
  const [lost, setLost] = useState(false);
  const end = useRef<HTMLLIElement>(null);
  const count = lines.value.length;
  useEffect(() => {
    attend(true);
    return () => attend(false);
  }, []);
  useEffect(() => end.current?.scrollIntoView({ block: "nearest" }), [count]);
  const send = async (event: Event) => {
    event.preventDefault();
    const sent = await say(room, text);
    setLost(!sent);
    if (sent) setText("");
  };
  return (
    <Panel title={t("chat")} onClose={onClose}>
      <ul class="chat" data-testid="chat-lines" aria-live="polite">
        {count === 0 && <li class="kind">{t("chatEmpty")}</li>}
        {lines.value.map((l) => (
          <li key={l.id} class={l.mine ? "mine" : ""}>
            <span class="kind">
              {l.mine ? t("you") : l.name} · {l.at.toLocaleTimeString(language.value, { hour: "2-digit", minute: "2-digit" })}
            </span>
            <span class="text">{l.text}</span>
          </li>
        ))}
        <li ref={end} aria-hidden />
      </ul>
      <form class="say" onSubmit={send}>
        <input data-testid="chat-text" value={text} maxLength={1000} placeholder={t("chatWrite")} aria-label={t("chatWrite")} onInput={(e) => setText(e.currentTarget.value)} />
        <button type="submit" class="primary" data-testid="chat-send" disabled={!text.trim()}>
          {t("chatSend")}
        </button>
      </form>
      {lost && <p role="alert">{t("chatLost")}</p>}
    </Panel>
  );
}
