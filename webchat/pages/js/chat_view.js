/** One open chat: its header, thread, keyboards and composer, and what each press does. */

import * as api from "./api.js";
import { avatar } from "./chat_list.js";
import { Composer } from "./composer.js";
import { ask, explain, popMenu, toast } from "./dialogs.js";
import { button, h, show } from "./dom.js";
import { icon } from "./icons.js";
import { openPhoto } from "./lightbox.js";
import { Outbox } from "./outbox.js";
import { Presses } from "./presses.js";
import { ReplyKeyboard } from "./reply_keyboard.js";
import { t } from "./strings.js";
import { Thread } from "./thread.js";
import { acceptDrops, preparedUploads } from "./upload.js";

const ACTION_TIME = 6000;

export class ChatView {
  /** app: what Inside.appFor gives; invitation is a start payload or null. */
  constructor(chat, app, invitation = null) {
    this.chat = chat;
    this.app = app;
    this.invitation = invitation;
    this.outbox = new Outbox(chat, { onChange: () => this.thread.sync(), onSent: (message) => this.took(message) });
    this.presses = new Presses(chat, { onRedraw: (id) => this.thread.redraw(id), onRefused: (error) => app.onRefused(error) });
    this.thread = new Thread(chat, {
      onCommand: (text) => this.say(text),
      onPress: (message, data) => this.presses.press(message, data),
      onPhoto: openPhoto,
      onJump: (id) => this.thread.jumpTo(id),
      onMenu: (message, anchor) => this.messageMenu(message, anchor),
      onOlder: () => this.older(),
      onSeen: () => this.seen(),
    });
    this.keyboard = new ReplyKeyboard(chat, { onText: (text) => this.say(text), onContact: () => this.shareContact() });
    this.composer = new Composer(chat, this.keyboard, { onSend: (text, replyTo) => this.say(text, replyTo), onFiles: (kind, files) => this.attach(kind, files) });
    this.build();
    this.sync();
  }

  build() {
    this.status = h("small", { class: "chat-status" });
    this.menuButton = button(icon("more"), () => this.menu(), { class: "icon-button", "aria-label": t("chat.menu"), "aria-haspopup": "menu" });
    const back = button(icon("back"), () => this.app.onBack(), { class: "icon-button back", "aria-label": t("back") });
    const { bot } = this.chat.info;
    const header = h("header", { class: "bar chat-bar" }, this.app.single ? null : back, avatar(bot), h("div", { class: "chat-title" }, h("h1", {}, bot.name), this.status), this.menuButton);
    this.welcome = h("div", { class: "welcome", hidden: true });
    this.thread.element.append(this.welcome);
    this.gate = h("div", { class: "gate", hidden: true });
    this.foot = h("footer", { class: "foot" }, this.gate, this.composer.element, this.keyboard.element);
    this.element = h("main", { class: "stage chat" }, header, this.thread.element, this.foot);
    acceptDrops(this.element, { isOpen: () => this.gate.hidden, onFiles: (kind, files) => this.attach(kind, files) });
  }

  sync() {
    const { blocked } = this.chat.info;
    const fresh = this.chat.loaded && this.chat.messages.length === 0 && this.chat.pending.length === 0;
    this.thread.sync();
    this.keyboard.sync();
    this.composer.sync();
    this.status.textContent = blocked ? t("chat.blocked") : (this.doing ?? t("chat.bot"));
    const gated = blocked || fresh || this.invitation !== null;
    show(this.gate, gated);
    show(this.composer.element, !gated);
    show(this.keyboard.element, !gated && !this.keyboard.element.hidden);
    if (gated) {
      this.gate.replaceChildren(...this.gateContent(blocked));
    }
    show(this.welcome, fresh);
    this.welcome.replaceChildren(...(fresh ? this.welcomeContent() : []));
  }

  gateContent(blocked) {
    if (blocked) {
      return [h("p", {}, t("chat.blocked.text")), button(t("chat.unblock"), () => this.setBlocked(false), { class: "button primary wide" })];
    }
    const invited = this.invitation && this.chat.messages.length > 0;
    return [invited && h("p", {}, t("chat.start.invited")), button(t("chat.start"), () => this.start(), { class: "button primary wide start-button" })].filter(Boolean);
  }

  welcomeContent() {
    const { bot } = this.chat.info;
    return [avatar(bot), h("h2", {}, bot.name), h("p", {}, bot.description || t(this.invitation ? "chat.start.invited" : "chat.start.text"))];
  }

  async load() {
    this.thread.showTop("loading");
    try {
      const page = await api.messages(this.chat.username);
      this.chat.absorb(page.messages);
      this.chat.more = this.chat.loaded ? this.chat.more : page.more;
      this.chat.loaded = true;
      this.thread.showTop("idle");
      this.sync();
      this.composer.grow();
    } catch (error) {
      this.app.onRefused(error);
      this.thread.showTop("failed", () => this.load());
    }
  }

  async older() {
    if (this.loadingOlder) {
      return;
    }
    this.loadingOlder = true;
    this.thread.showTop("loading");
    try {
      const page = await api.messages(this.chat.username, this.chat.messages[0]?.message_id);
      const grew = this.chat.absorb(page.messages);
      this.chat.more = page.more && grew;
      this.loadingOlder = false;
      this.thread.showTop("idle");
      this.sync();
    } catch {
      this.thread.showTop("failed", () => {
        this.loadingOlder = false;
        this.older();
      });
    }
  }

  seen() {
    const newest = this.chat.messages.findLast((message) => !message.outgoing)?.message_id ?? 0;
    if (newest > this.chat.readUpTo && document.visibilityState === "visible") {
      this.chat.readUpTo = newest;
      this.chat.info.unread = 0;
      this.app.onRead(this.chat);
      api.read(this.chat.username, newest).catch(() => (this.chat.readUpTo = 0));
    }
  }

  say(text, replyTo = null) {
    this.outbox.text(text, replyTo);
    this.thread.toBottom();
  }

  took(message) {
    const outcome = this.chat.put(message);
    if (outcome === "added") {
      this.thread.arrived(message);
    }
    this.sync();
    this.app.onTouched();
  }

  async start() {
    const payload = this.invitation;
    try {
      this.took((await api.start(this.chat.username, payload)).message);
      this.invitation = null;
      this.app.onStarted(this.chat.username);
      this.sync();
    } catch (error) {
      this.app.onRefused(error);
      toast(explain(error));
    }
  }

  acting(action) {
    clearTimeout(this.actingTimer);
    this.doing = action.startsWith("upload") || action.startsWith("record") ? t("chat.uploading") : t("chat.typing");
    this.thread.showTyping(true);
    this.sync();
    this.actingTimer = setTimeout(() => this.idle(), ACTION_TIME);
  }

  idle() {
    clearTimeout(this.actingTimer);
    this.doing = null;
    this.thread.showTyping(false);
    this.sync();
  }

  async shareContact() {
    const { me } = this.app;
    if (!me.phone_masked) {
      if (await ask({ title: t("contact.none.title"), text: t("contact.none.text"), yes: t("contact.none.button") })) {
        this.app.onSettings();
      }
      return;
    }
    const text = t("contact.text", { name: me.name, phone: me.phone_masked, bot: this.chat.name });
    if (await ask({ title: t("contact.title"), text, yes: t("contact.button") })) {
      await this.attempt(async () => this.took((await api.sendContact(this.chat.username)).message));
      this.keyboard.used();
    }
  }

  async attach(kind, files) {
    for (const upload of await preparedUploads(kind, files)) {
      this.outbox.file(upload);
      this.thread.toBottom();
    }
  }

  menu() {
    const { blocked } = this.chat.info;
    const items = [
      { icon: "settings", label: t("settings.open"), act: () => this.app.onSettings() },
      blocked ? { icon: "block", label: t("chat.unblock"), act: () => this.setBlocked(false) } : { icon: "block", label: t("chat.block"), act: () => this.confirmBlock(), danger: true },
    ];
    popMenu(this.menuButton, items, t("chat.menu"));
  }

  messageMenu(message, anchor) {
    const text = message.text ?? message.caption;
    const copy = async () => {
      await navigator.clipboard.writeText(text);
      toast(t("message.copied"));
    };
    const items = [{ icon: "reply", label: t("message.reply"), act: () => this.composer.reply(message) }];
    if (text && navigator.clipboard) {
      items.push({ icon: "file", label: t("message.copy"), act: copy });
    }
    popMenu(anchor, items, t("message.actions"));
  }

  async confirmBlock() {
    const sure = await ask({ title: t("chat.block.title", { name: this.chat.name }), text: t("chat.block.text"), yes: t("chat.block.button"), danger: true });
    if (sure) {
      await this.setBlocked(true);
    }
  }

  async setBlocked(blocked) {
    await this.attempt(async () => {
      await (blocked ? api.block : api.unblock)(this.chat.username);
      this.chat.info.blocked = blocked;
      this.sync();
      this.app.onTouched();
    });
  }

  async attempt(act) {
    try {
      await act();
    } catch (error) {
      this.app.onRefused(error);
      toast(explain(error));
    }
  }

  close() {
    clearTimeout(this.actingTimer);
    this.thread.close();
  }
}
