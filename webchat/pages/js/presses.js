/** Presses of inline buttons: a spinner until the bot answers, then its words; patience has an end. */

import * as api from "./api.js";
import { alertBox, explain, toast } from "./dialogs.js";
import { h } from "./dom.js";
import { webAddress } from "./entities.js";
import { icon } from "./icons.js";
import { t } from "./strings.js";

const ANSWER_TIME = 15000;

export class Presses {
  /** onRedraw(messageId) when a button's state changed, onRefused(error) when the server said no. */
  constructor(chat, { onRedraw, onRefused }) {
    this.chat = chat;
    this.onRedraw = onRedraw;
    this.onRefused = onRefused;
    this.answers = new Map();
  }

  async press(message, data) {
    const key = `${message.message_id}:${data}`;
    if (this.chat.pressing.has(key)) {
      return;
    }
    this.chat.pressing.set(key, null);
    this.onRedraw(message.message_id);
    try {
      const { callback_query_id: id } = await api.press(this.chat.username, message.message_id, data);
      const early = this.answers.get(id);
      if (early) {
        this.release(key);
        this.tell(early);
      } else {
        this.chat.pressing.set(key, id);
        setTimeout(() => this.chat.pressing.get(key) === id && this.silent(key), ANSWER_TIME);
      }
    } catch (error) {
      this.release(key);
      this.onRefused(error);
      toast(error.status === 404 ? t("keyboard.gone") : explain(error));
    }
  }

  silent(key) {
    this.release(key);
    toast(t("keyboard.silent"));
  }

  release(key) {
    this.chat.pressing.delete(key);
    this.onRedraw(Number(key.split(":")[0]));
  }

  answered(event) {
    const waiting = [...this.chat.pressing].find(([, id]) => id === event.callback_query_id);
    if (!waiting) {
      this.answers.set(event.callback_query_id, event);
      return;
    }
    this.release(waiting[0]);
    this.tell(event);
  }

  tell({ text, show_alert: alert, url }) {
    const href = url && webAddress(url);
    if (href) {
      alertBox(text || href, h("a", { class: "button wide", href, target: "_blank", rel: "noopener noreferrer" }, h("span", {}, href), icon("external")));
    } else if (text && alert) {
      alertBox(text);
    } else if (text) {
      toast(text);
    }
  }
}
