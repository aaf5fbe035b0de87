/** Where the reader writes: text that grows, drafts, commands, files, a reply in hand. */

import { summary } from "./bubble.js";
import { CommandList } from "./commands.js";
import { popMenu } from "./dialogs.js";
import { button, h, prefersTouch, show, storage } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./strings.js";
import { kindOf } from "./upload.js";

const LONGEST = 4096;
const WARN_AT = 3800;

export class Composer {
  /** acts: onSend(text, replyTo), onFiles(kind, files). */
  constructor(chat, keyboard, acts) {
    this.chat = chat;
    this.acts = acts;
    this.replyTo = null;
    this.commands = new CommandList((command) => this.sendCommand(command));
    this.build(keyboard);
    this.input.value = storage(this.draftKey);
    this.refresh();
  }

  get draftKey() {
    return `draft:${this.chat.username}`;
  }

  build(keyboard) {
    this.input = h("textarea", {
      rows: "1",
      class: "composer-input",
      placeholder: t("composer.placeholder"),
      "aria-label": t("composer.placeholder"),
      enterkeyhint: prefersTouch() ? "enter" : "send",
      autocomplete: "off",
      on: { input: () => this.changed(), keydown: (event) => this.typed(event), paste: (event) => this.pasted(event) },
    });
    this.count = h("div", { class: "composer-count", role: "status" });
    this.menu = button([icon("menu"), h("span", {}, t("composer.menu"))], () => this.toggleMenu(), {
      class: "menu-button",
      "aria-label": t("composer.menu.label"),
      "aria-expanded": "false",
    });
    this.attach = button(icon("attach"), () => this.chooseKind(), { class: "icon-button", "aria-label": t("composer.attach"), "aria-haspopup": "menu" });
    this.send = button(icon("send"), () => this.submit(), { class: "send-button", "aria-label": t("composer.send") });
    this.quote = h("div", { class: "composer-quote", hidden: true });
    const field = h("div", { class: "composer-field" }, this.input, keyboard.toggle, this.attach);
    this.element = h("div", { class: "composer" }, this.commands.element, this.quote, h("div", { class: "composer-row" }, this.menu, field, this.send), this.count);
  }

  sync() {
    const commands = this.chat.info.commands ?? [];
    this.commands.fill(commands);
    show(this.menu, commands.length > 0 && this.chat.info.menu_button?.type !== "web_app");
    const markup = this.chat.keyboardMessage?.reply_markup;
    this.input.placeholder = markup?.input_field_placeholder || t("composer.placeholder");
    const forced = markup?.force_reply ? this.chat.keyboardMessage : null;
    if (forced && this.forced !== forced.message_id) {
      this.forced = forced.message_id;
      this.reply(forced);
    }
  }

  changed() {
    storage(this.draftKey, this.input.value);
    this.commands.suggest(this.input.value);
    this.refresh();
  }

  refresh() {
    const { value } = this.input;
    const left = LONGEST - value.trim().length;
    this.send.disabled = !value.trim() || left < 0;
    this.count.textContent = left < 0 ? t("composer.toolong", { count: -left }) : value.length > WARN_AT ? t("composer.left", { count: left }) : "";
    this.count.classList.toggle("over", left < 0);
    this.grow();
    this.menu.setAttribute("aria-expanded", String(!this.commands.element.hidden));
    this.menu.classList.toggle("narrow", value !== "");
  }

  grow() {
    this.input.style.height = "auto";
    if (this.input.scrollHeight) {
      this.input.style.height = `${this.input.scrollHeight}px`;
    }
  }

  typed(event) {
    if (event.isComposing) {
      return;
    }
    if (this.commands.steer(event)) {
      this.refresh();
      return;
    }
    if (event.key === "Enter" && !event.shiftKey && !prefersTouch()) {
      event.preventDefault();
      this.submit();
    } else if (event.key === "Escape" && this.replyTo) {
      this.reply(null);
    }
  }

  submit() {
    if (this.send.disabled) {
      return;
    }
    const text = this.input.value.trim();
    this.input.value = "";
    this.changed();
    this.acts.onSend(text, this.replyTo);
    this.reply(null);
  }

  sendCommand(command) {
    this.input.value = "";
    this.changed();
    this.acts.onSend(`/${command}`, null);
  }

  toggleMenu() {
    this.commands.toggle();
    this.refresh();
  }

  reply(message) {
    this.replyTo = message;
    show(this.quote, Boolean(message));
    if (message) {
      const words = h("span", { class: "composer-quote-text" }, h("b", {}, t("composer.reply.to")), h("span", {}, summary(message)));
      const cancel = button(icon("close"), () => this.reply(null), { class: "icon-button", "aria-label": t("composer.reply.cancel") });
      this.quote.replaceChildren(icon("reply"), words, cancel);
      this.focus();
    }
  }

  focus() {
    if (!prefersTouch()) {
      this.input.focus({ preventScroll: true });
    }
  }

  chooseKind() {
    popMenu(
      this.attach,
      [
        { icon: "photo", label: t("composer.attach.photo"), act: () => this.pick("photo", "image/*") },
        { icon: "file", label: t("composer.attach.document"), act: () => this.pick("document", "") },
      ],
      t("composer.attach"),
    );
  }

  pick(kind, accept) {
    const input = h("input", { type: "file", accept, multiple: true, class: "visually-hidden", tabIndex: -1 });
    input.addEventListener("change", () => {
      input.remove();
      if (input.files.length > 0) {
        this.acts.onFiles(kind, [...input.files]);
      }
    });
    input.addEventListener("cancel", () => input.remove());
    document.body.append(input);
    input.click();
  }

  pasted(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) {
      event.preventDefault();
      this.acts.onFiles(kindOf(files), files);
    }
  }
}
