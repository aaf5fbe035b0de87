/** What the reader sends: shown at once, settled by the server's answer, and kept for another try when it fails. */

import * as api from "./api.js";
import { explain } from "./dialogs.js";
import { updateProgress } from "./pending.js";

export class Outbox {
  /** onChange() after the list of pending entries changed, onSent(message) once the server has it. */
  constructor(chat, { onChange, onSent }) {
    this.chat = chat;
    this.onChange = onChange;
    this.onSent = onSent;
    this.queue = Promise.resolve();
  }

  text(text, replyTo) {
    const entry = this.entry({ text });
    this.deliver(entry, () => api.sendText(this.chat.username, text, replyTo?.message_id));
  }

  file(upload) {
    const entry = this.entry(upload);
    this.deliver(entry, () => {
      const sending = api.upload(this.chat.username, upload, (part) => updateProgress(entry, part));
      entry.cancel = sending.cancel;
      return sending.done;
    });
  }

  entry(content) {
    const entry = { ...content, failed: null, underWay: false, discarded: false };
    entry.discard = () => {
      entry.discarded = true;
      entry.cancel?.();
      this.settle(entry);
      this.onChange();
    };
    this.chat.pending.push(entry);
    return entry;
  }

  /** One after the other, so that the server sees what was written first, first. */
  deliver(entry, send) {
    entry.failed = null;
    this.onChange();
    entry.resend = () => this.deliver(entry, send);
    this.queue = this.queue.then(() => this.attempt(entry, send));
  }

  async attempt(entry, send) {
    if (entry.discarded) {
      return;
    }
    entry.underWay = true;
    try {
      const { message } = await send();
      this.settle(entry);
      this.onSent(message);
    } catch (error) {
      if (error.code !== "cancelled") {
        entry.failed = explain(error);
        this.onChange();
      }
    } finally {
      entry.underWay = false;
    }
  }

  settle(entry) {
    this.chat.pending = this.chat.pending.filter((other) => other !== entry);
    if (entry.preview) {
      URL.revokeObjectURL(entry.preview);
    }
  }
}
