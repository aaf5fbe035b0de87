/** One chat as the page knows it: messages in order without doubles, what is on its way, and the keyboard in force. */

export class Chat {
  constructor(info) {
    this.info = info;
    this.messages = [];
    this.pending = [];
    this.pressing = new Map();
    this.loaded = false;
    this.more = false;
    this.readUpTo = 0;
  }

  get username() {
    return this.info.bot.username;
  }

  get name() {
    return this.info.bot.name;
  }

  get last() {
    return this.messages.at(-1) ?? this.info.last_message ?? null;
  }

  find(messageId) {
    return this.messages.find((message) => message.message_id === messageId);
  }

  /** Take a page of history in; true if it held anything new. */
  absorb(page) {
    const known = new Set(this.messages.map((message) => message.message_id));
    const fresh = page.filter((message) => !known.has(message.message_id));
    this.messages = [...this.messages, ...fresh].sort((a, b) => a.message_id - b.message_id);
    return fresh.length > 0;
  }

  /** Add or replace; an edit of a message that is not loaded changes nothing. */
  put(message, { onlyKnown = false } = {}) {
    if (this.info.last_message?.message_id === message.message_id) {
      this.info.last_message = message;
    }
    const index = this.messages.findIndex((known) => known.message_id === message.message_id);
    if (index >= 0) {
      this.messages[index] = message;
      return "changed";
    }
    if (onlyKnown) {
      return "unknown";
    }
    if (message.message_id > (this.info.last_message?.message_id ?? 0)) {
      this.info.last_message = message;
    }
    this.absorb([message]);
    return "added";
  }

  remove(messageId) {
    this.messages = this.messages.filter((message) => message.message_id !== messageId);
    if (this.info.last_message?.message_id === messageId) {
      this.info.last_message = this.messages.at(-1) ?? null;
    }
  }

  reset() {
    this.messages = [];
    this.loaded = false;
    this.more = false;
  }

  /** The newest incoming message that sets or removes the reply keyboard. */
  get keyboardMessage() {
    return this.messages.findLast((message) => {
      const markup = message.reply_markup;
      return !message.outgoing && markup && (markup.keyboard || markup.remove_keyboard || markup.force_reply);
    });
  }

  /** What is under way and settled by this message of ours, when the stream is faster than the answer; what waits behind it is not. */
  pendingFor(message) {
    const isFile = Boolean(message.photo || message.document);
    return this.pending.find((entry) => entry.underWay && (isFile ? entry.file : entry.text !== undefined && entry.text === message.text));
  }
}
