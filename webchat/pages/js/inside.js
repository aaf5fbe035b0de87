/** The page of someone signed in: their chats, the live stream, and which chat is open. */

import { address, chatAddress } from "./address.js";
import * as api from "./api.js";
import { ChatList } from "./chat_list.js";
import { Chat } from "./chat_model.js";
import { ChatView } from "./chat_view.js";
import { h, show, storage } from "./dom.js";
import { EventStream } from "./events.js";
import { icon } from "./icons.js";
import { openSettings } from "./settings.js";
import { t } from "./strings.js";

export class Inside {
  /** acts: onLanguage(code), onSignedOut(byChoice), onUnknownBot(username). */
  constructor(root, me, acts) {
    this.root = root;
    this.me = me;
    this.acts = acts;
    this.chats = new Map();
    this.connection = "live";
    this.early = [];
    this.onPop = () => this.followAddress();
    this.onVisible = () => document.visibilityState === "visible" && this.view?.seen();
  }

  /** Open the stream first, so that nothing falls between the list and the first event. */
  async begin(username, payload) {
    this.stream = new EventStream({
      onEvent: (event) => this.happened(event),
      onState: (state) => this.connected(state),
      onGap: () => this.reload(),
      onSignedOut: () => this.acts.onSignedOut(false),
    });
    await this.stream.ready;
    try {
      await this.fetchChats();
    } catch (error) {
      this.close();
      throw error;
    }
    window.addEventListener("popstate", this.onPop);
    document.addEventListener("visibilitychange", this.onVisible);
    this.frame();
    this.early.splice(0).forEach((event) => this.happened(event));
    await this.open(username ?? this.onlyUsername, payload);
  }

  async fetchChats() {
    const { chats } = await api.chats();
    for (const info of chats) {
      this.take(info);
    }
  }

  take(info) {
    const known = this.chats.get(info.bot.username.toLowerCase());
    if (known) {
      known.info = info;
      return known;
    }
    const chat = new Chat(info);
    this.chats.set(info.bot.username.toLowerCase(), chat);
    return chat;
  }

  get onlyUsername() {
    return this.chats.size === 1 ? [...this.chats.values()][0].username : null;
  }

  get single() {
    return this.chats.size === 1;
  }

  frame() {
    this.list = new ChatList({ onOpen: (username) => this.go(username), onSettings: () => this.settings() });
    this.banner = h("div", { class: "banner", role: "status", hidden: true });
    this.stage = h("div", { class: "stage-box" });
    this.shell = h("div", { class: "shell" }, this.list.element, this.stage);
    this.root.replaceChildren(this.banner, this.shell);
    this.connected(this.connection);
  }

  draw() {
    const payload = this.view?.invitation ?? null;
    const username = this.view?.chat.username ?? null;
    this.frame();
    this.open(username, payload);
  }

  async open(username, payload = null) {
    this.view?.close();
    this.view = null;
    const chat = username ? await this.chatOf(username) : null;
    if (username && !chat) {
      return;
    }
    this.shell.classList.toggle("single", this.single);
    this.shell.classList.toggle("at-chat", Boolean(chat));
    if (chat) {
      this.view = new ChatView(chat, this.appFor(), payload);
      this.stage.replaceChildren(this.view.element);
      this.touched();
      await this.view.load();
      this.view?.composer.focus();
    } else {
      this.stage.replaceChildren(h("main", { class: "stage nothing" }, icon("chat"), this.chats.size ? h("p", {}, t("chats.choose")) : null));
      this.touched();
    }
  }

  async chatOf(username) {
    const known = this.chats.get(username.toLowerCase());
    if (known) {
      return known;
    }
    try {
      return this.take(await api.chat(username));
    } catch (error) {
      if (error.status === 404) {
        this.acts.onUnknownBot(username);
      } else {
        this.refused(error);
      }
      return null;
    }
  }

  appFor() {
    const inside = this;
    return {
      get me() {
        return inside.me;
      },
      single: this.single,
      onBack: () => this.go(null),
      onSettings: () => this.settings(),
      onTouched: () => this.touched(),
      onRead: () => this.touched(),
      onStarted: (username) => history.replaceState(null, "", chatAddress(username)),
      onRefused: (error) => this.refused(error),
    };
  }

  go(username) {
    if (username && username === this.view?.chat.username) {
      return;
    }
    history.pushState(null, "", chatAddress(username));
    this.open(username);
  }

  followAddress() {
    const { bot, payload } = address();
    this.open(bot ?? this.onlyUsername, payload);
  }

  touched() {
    this.list.sync([...this.chats.values()], this.view?.chat.username);
    const unread = [...this.chats.values()].reduce((sum, chat) => sum + chat.info.unread, 0);
    document.title = unread ? `(${unread}) ${t("app.name")}` : (this.view?.chat.name ?? t("app.name"));
  }

  async happened(event) {
    if (!this.shell) {
      this.early.push(event);
      return;
    }
    const isNew = event.chat && !this.chats.has(event.chat.toLowerCase());
    const chat = event.chat && (await this.chatOf(event.chat));
    if (!chat) {
      return;
    }
    const view = this.view?.chat === chat ? this.view : null;
    const handlers = {
      message: () => this.gotMessage(chat, view, event.message, isNew),
      edit: () => this.gotEdit(chat, view, event.message),
      delete: () => chat.remove(event.message_id),
      callback_answer: () => view?.presses.answered(event),
      action: () => view?.acting(event.action),
      commands: () => this.refresh(chat),
      blocked: () => (chat.info.blocked = event.blocked),
    };
    handlers[event.type]?.();
    view?.sync();
    this.touched();
  }

  gotMessage(chat, view, message, isNew) {
    const added = chat.put(message) === "added";
    if (added && message.outgoing) {
      const settled = chat.pendingFor(message);
      chat.pending = chat.pending.filter((entry) => entry !== settled);
    }
    if (added && !message.outgoing && !isNew) {
      chat.info.unread += 1;
    }
    if (view && !message.outgoing) {
      view.idle();
    }
    if (view && added) {
      view.thread.arrived(message);
    }
  }

  gotEdit(chat, view, message) {
    chat.put(message, { onlyKnown: true });
    view?.idle();
    view?.thread.tellChange(message);
  }

  async refresh(chat) {
    try {
      this.take(await api.chat(chat.username));
      this.view?.sync();
    } catch (error) {
      this.refused(error);
    }
  }

  async reload() {
    try {
      await this.fetchChats();
      for (const chat of this.chats.values()) {
        chat.reset();
      }
      await this.view?.load();
      this.touched();
    } catch (error) {
      this.refused(error);
    }
  }

  refused(error) {
    if (error.status === 401) {
      this.acts.onSignedOut(false);
    }
  }

  connected(state) {
    this.connection = state;
    if (this.banner) {
      show(this.banner, state !== "live");
      this.banner.replaceChildren(...(state === "live" ? [] : [h("span", { class: "spinner" }), t(`connection.${state}`)]));
    }
  }

  settings() {
    openSettings(this.me, {
      onChanged: (me) => (this.me = me),
      onLanguage: (code) => {
        document.querySelector("dialog.settings")?.close("");
        this.acts.onLanguage(code);
        this.settings();
      },
      onSignOut: () => this.signOut(),
    });
  }

  async languageChanged() {
    const language = document.documentElement.lang.slice(0, 2);
    try {
      this.me = await api.changeMe({ language });
    } catch (error) {
      this.refused(error);
    }
  }

  async signOut() {
    await api.signOut().catch(() => {});
    for (const chat of this.chats.values()) {
      storage(`draft:${chat.username}`, "");
      storage(`folded:${chat.username}`, "");
    }
    this.acts.onSignedOut(true);
  }

  close() {
    this.stream.close();
    this.view?.close();
    window.removeEventListener("popstate", this.onPop);
    document.removeEventListener("visibilitychange", this.onVisible);
  }
}
