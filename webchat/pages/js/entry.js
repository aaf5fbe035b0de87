/** Screens of someone who is not inside: signing in, joining, and what went wrong. */

import { explain } from "./dialogs.js";
import { button, h } from "./dom.js";
import { icon } from "./icons.js";
import { languageSwitch } from "./settings.js";
import { t } from "./strings.js";

/** kind names the words in the catalogue; extra elements stand below them. */
export function entryScreen(kind, { values = {}, symbol = "link", onLanguage }, ...extra) {
  return h(
    "main",
    { class: "entry" },
    h("div", { class: "entry-language" }, languageSwitch(onLanguage)),
    h(
      "section",
      { class: "entry-card" },
      h("span", { class: "entry-symbol" }, icon(symbol)),
      h("h1", {}, t(kind === "signin" ? "entry.title" : `entry.${kind}.title`, values)),
      h("p", {}, t(kind === "signin" ? "entry.text" : `entry.${kind}.text`, values)),
      extra,
    ),
    h("p", { class: "entry-foot" }, t("app.tagline")),
  );
}

/** A button that is busy while act() runs and words a refusal below itself. */
export function actionButton(label, act) {
  const error = h("p", { class: "form-error", role: "alert" });
  const press = async () => {
    error.textContent = "";
    pressed.disabled = true;
    pressed.classList.add("busy");
    try {
      await act();
    } catch (failure) {
      error.textContent = explain(failure);
    }
    pressed.disabled = false;
    pressed.classList.remove("busy");
  };
  const pressed = button(h("span", {}, label), press, { class: "button primary wide" });
  return [pressed, error];
}

export function joinForm(onJoin) {
  const input = h("input", { id: "join-name", class: "input", maxlength: "64", autocomplete: "name", placeholder: t("entry.join.placeholder") });
  const error = h("p", { class: "form-error", role: "alert" });
  const submit = h("button", { class: "button primary wide", type: "submit" }, h("span", {}, t("entry.join.button")));
  const send = async (event) => {
    event.preventDefault();
    const name = input.value.trim();
    error.textContent = name ? "" : t("entry.join.empty");
    if (!name) {
      input.focus();
      return;
    }
    submit.disabled = true;
    submit.classList.add("busy");
    try {
      await onJoin(name);
    } catch (failure) {
      error.textContent = explain(failure);
    }
    submit.disabled = false;
    submit.classList.remove("busy");
  };
  return h("form", { class: "entry-form", on: { submit: send } }, h("label", { for: "join-name" }, t("entry.join.name")), input, error, submit, h("p", { class: "hint" }, t("entry.join.hint")));
}
