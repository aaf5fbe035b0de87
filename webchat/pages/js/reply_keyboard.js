/** The keyboard a bot sets below the composer; the reader can fold it, and a one-time keyboard folds itself. */

import { button, h, show, storage } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./strings.js";

export class ReplyKeyboard {
  /** acts: onText(text), onContact(). */
  constructor(chat, acts) {
    this.chat = chat;
    this.acts = acts;
    this.message = null;
    this.toggle = button(icon("keyboard"), () => this.fold(!this.folded), { class: "icon-button", hidden: true });
    this.element = h("div", { class: "reply-keyboard", role: "group", "aria-label": t("keyboard.title"), hidden: true });
  }

  get key() {
    return `folded:${this.chat.username}`;
  }

  get folded() {
    return storage(this.key) === String(this.message?.message_id);
  }

  sync() {
    const message = this.chat.keyboardMessage;
    const markup = message?.reply_markup;
    const keyboard = markup?.keyboard ?? null;
    if (message !== this.message) {
      this.message = message;
      const rows = (keyboard ?? []).map((row) => h("div", { class: "key-row" }, row.map((key) => this.draw(key))));
      this.element.replaceChildren(...rows.filter((row) => row.childElementCount));
      this.element.classList.toggle("roomy", Boolean(keyboard) && !markup.resize_keyboard);
    }
    this.available = this.element.childElementCount > 0;
    this.show();
  }

  draw(key) {
    const { text, request_contact: contact, ...wishes } = typeof key === "string" ? { text: key } : key;
    if (Object.keys(wishes).some((name) => name.startsWith("request_") || name === "web_app")) {
      return null;
    }
    const act = () => (contact ? this.acts.onContact() : this.acts.onText(text)) ?? this.used();
    return button([contact && icon("phone"), h("span", {}, text)].filter(Boolean), act, { class: "key" });
  }

  used() {
    if (this.message?.reply_markup.one_time_keyboard) {
      this.fold(true);
    }
  }

  fold(away) {
    storage(this.key, away ? String(this.message.message_id) : "");
    this.show();
  }

  show() {
    const open = this.available && !this.folded;
    show(this.element, open);
    show(this.toggle, this.available);
    this.toggle.setAttribute("aria-expanded", String(open));
    this.toggle.setAttribute("aria-label", t(open ? "keyboard.hide" : "keyboard.show"));
    this.toggle.classList.toggle("on", open);
  }
}
