/** The list of chats: who, the last words, when, and how many unread. */

import { summary } from "./bubble.js";
import { button, h, storage } from "./dom.js";
import { fullTime, shortWhen } from "./format.js";
import { icon } from "./icons.js";
import { t } from "./strings.js";

const HUES = 8;

export function avatar(bot) {
  const letter = [...(bot.name || bot.username)][0]?.toUpperCase() ?? "?";
  return h("span", { class: `avatar hue-${bot.id % HUES}`, "aria-hidden": "true" }, letter);
}

export class ChatList {
  /** acts: onOpen(username), onSettings(). */
  constructor(acts) {
    this.acts = acts;
    this.rows = h("ul", { class: "chat-rows" });
    const settings = button(icon("settings"), acts.onSettings, { class: "icon-button", "aria-label": t("settings.open") });
    this.element = h("aside", { class: "sidebar", "aria-label": t("chats.title") }, h("header", { class: "bar" }, h("h1", {}, t("chats.title")), settings), this.rows);
  }

  sync(chats, openUsername) {
    const ordered = [...chats].sort((a, b) => (b.last?.date ?? 0) - (a.last?.date ?? 0));
    this.rows.replaceChildren(...(ordered.length ? ordered.map((chat) => this.row(chat, chat.username === openUsername)) : [emptyList()]));
  }

  row(chat, open) {
    const { bot, unread, blocked } = chat.info;
    const { last } = chat;
    const content = [
      avatar(bot),
      h("span", { class: "chat-row-text" }, h("b", {}, bot.name), h("span", { class: "preview" }, blocked ? h("em", {}, t("chats.blocked")) : preview(chat))),
      h(
        "span",
        { class: "chat-row-side" },
        last && h("time", { title: fullTime(last.date) }, shortWhen(last.date)),
        unread > 0 && h("span", { class: "badge", "aria-label": t("chats.unread", { count: unread }) }, unread > 99 ? "99+" : String(unread)),
      ),
    ];
    return h("li", {}, button(content, () => this.acts.onOpen(chat.username), { class: `chat-row ${open ? "open" : ""}`, "aria-current": open ? "true" : null }));
  }
}

function preview(chat) {
  const draft = storage(`draft:${chat.username}`);
  if (draft) {
    return [h("em", { class: "draft" }, t("chats.draft")), draft];
  }
  const { last } = chat;
  if (!last) {
    return t("chats.none");
  }
  return (last.outgoing ? t("chats.you") : "") + summary(last);
}

function emptyList() {
  return h("li", { class: "empty" }, icon("chat"), h("h2", {}, t("chats.empty.title")), h("p", {}, t("chats.empty.text")));
}
