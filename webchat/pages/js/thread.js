/** The scrolling column of messages: order, days, history upwards, and staying where the reader is. */

import { announce, button, h, show } from "./dom.js";
import { bubble, summary } from "./bubble.js";
import { day, dayKey } from "./format.js";
import { icon } from "./icons.js";
import { pendingBubble } from "./pending.js";
import { t } from "./strings.js";

const NEAR = 60;
const EARLIER = 400;
const CLOSE_TOGETHER = 300;
const BETWEEN_CHANGES = 5000;

export class Thread {
  /** acts are bubble's acts, and onOlder() (a promise) and onSeen(). */
  constructor(chat, acts) {
    this.chat = chat;
    this.acts = acts;
    this.rows = new Map();
    this.fresh = 0;
    this.stuck = true;
    this.list = h("ol", { class: "thread" });
    this.top = h("div", { class: "thread-top" });
    this.typing = h("div", { class: "typing", role: "img", hidden: true, "aria-label": t("chat.typing") }, h("i"), h("i"), h("i"));
    this.column = h("div", { class: "thread-column" }, this.top, this.list, this.typing);
    this.scroller = h("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": t("chat.messages") }, this.column);
    this.pillText = h("span");
    this.pill = button([icon("down"), this.pillText], () => this.toBottom(true), { class: "pill", hidden: true });
    this.element = h("div", { class: "thread-box" }, this.scroller, this.pill);
    this.scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.observer = new ResizeObserver(() => this.stuck && this.toBottom());
    this.observer.observe(this.scroller);
    this.observer.observe(this.column);
  }

  /** Bring the rows in line with the chat, touching only what is new, gone or replaced. */
  sync() {
    this.keepingPlace(() => {
      const wanted = new Set(this.chat.messages.map((message) => message.message_id));
      for (const id of [...this.rows.keys()].filter((known) => !wanted.has(known))) {
        this.drop(id);
      }
      let previous = null;
      for (const message of this.chat.messages) {
        this.place(message, previous);
        previous = message;
      }
      this.syncPending();
    });
    this.scrolled();
  }

  place(message, previous) {
    let row = this.rows.get(message.message_id);
    if (!row || row.message !== message) {
      const drawn = h("li", { class: `row ${message.outgoing ? "out" : "in"}` }, bubble(message, this.chat, this.acts));
      drawn.addEventListener("contextmenu", (event) => this.longPressed(event, message));
      if (row) {
        replaceKeepingFocus(row.element, drawn);
      }
      row = { element: drawn, message, separator: row?.separator ?? null };
      this.rows.set(message.message_id, row);
    }
    const before = previous ? this.rows.get(previous.message_id).element.nextSibling : this.list.firstChild;
    if (!row.element.isConnected) {
      this.list.insertBefore(row.element, before);
    }
    this.decorate(row, previous);
  }

  decorate(row, previous) {
    const newDay = !previous || dayKey(previous.date) !== dayKey(row.message.date);
    if (newDay && !row.separator) {
      row.separator = h("li", { class: "day" }, h("span", {}, day(row.message.date)));
    }
    if (newDay && row.element.previousSibling !== row.separator) {
      row.element.before(row.separator);
    }
    if (!newDay && row.separator) {
      row.separator.remove();
      row.separator = null;
    }
    const close = previous && row.message.date - previous.date < CLOSE_TOGETHER;
    row.element.classList.toggle("continued", !newDay && close && previous.outgoing === row.message.outgoing);
  }

  drop(id) {
    const row = this.rows.get(id);
    row.separator?.remove();
    row.element.remove();
    this.rows.delete(id);
  }

  redraw(messageId) {
    const row = this.rows.get(messageId);
    if (row) {
      row.message = null;
      this.sync();
    }
  }

  syncPending() {
    for (const entry of this.list.querySelectorAll(".row.pending")) {
      entry.remove();
    }
    this.list.append(...this.chat.pending.map((entry) => pendingBubble(entry)));
  }

  arrived(message) {
    this.sync();
    if (message.outgoing) {
      this.toBottom();
      return;
    }
    this.tell(message);
    if (!this.stuck) {
      this.fresh += 1;
      this.showPill();
    }
  }

  /** Read a new message to those who cannot see it. */
  tell(message) {
    this.toldAt = Date.now();
    announce(t("chat.incoming", { name: this.chat.name, text: summary(message) }));
  }

  /** Read a changed message too, but not each step of one that counts its progress. */
  tellChange(message) {
    if (message === this.chat.last && Date.now() - (this.toldAt ?? 0) > BETWEEN_CHANGES) {
      this.tell(message);
    }
  }

  showTyping(visible) {
    this.keepingPlace(() => show(this.typing, visible));
  }

  showTop(state, retry) {
    const first = !this.chat.loaded;
    const content = {
      idle: [],
      loading: [h("span", { class: "spinner" }), t(first ? "loading" : "chat.older")],
      failed: [t(first ? "chat.failed" : "chat.older.failed"), button(t("retry"), retry, { class: "button small" })],
    }[state];
    this.keepingPlace(() => this.top.replaceChildren(...content));
  }

  keepingPlace(change) {
    const stuck = this.stuck;
    const anchor = stuck ? null : this.firstVisible();
    const was = anchor?.getBoundingClientRect().top;
    change();
    if (stuck) {
      this.toBottom();
    } else if (anchor) {
      const now = anchor.isConnected ? anchor : this.rows.get(Number(anchor.dataset.anchor))?.element;
      this.scroller.scrollTop += (now?.getBoundingClientRect().top ?? was) - was;
    }
  }

  firstVisible() {
    const edge = this.scroller.getBoundingClientRect().top;
    for (const [id, row] of this.rows) {
      if (row.element.isConnected && row.element.getBoundingClientRect().bottom > edge) {
        row.element.dataset.anchor = id;
        return row.element;
      }
    }
    return null;
  }

  scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    const near = scrollHeight - scrollTop - clientHeight < NEAR;
    // Only the reader's own scrolling upwards lets go of the bottom; a shrinking window or a growing bubble does not.
    const leaving = scrollTop < this.lastTop && clientHeight === this.lastHeight;
    this.stuck = near || (this.stuck && !leaving);
    this.lastTop = scrollTop;
    this.lastHeight = clientHeight;
    if (near) {
      this.fresh = 0;
      this.acts.onSeen();
    }
    this.showPill();
    if (scrollTop < EARLIER && this.chat.loaded && this.chat.more) {
      this.acts.onOlder();
    }
  }

  showPill() {
    show(this.pill, !this.stuck);
    this.pill.setAttribute("aria-label", this.fresh ? this.freshText() : t("chat.latest"));
    this.pill.classList.toggle("fresh", this.fresh > 0);
    this.pillText.textContent = this.fresh ? this.freshText() : "";
  }

  freshText() {
    return this.fresh === 1 ? t("chat.new") : t("chat.new.count", { count: this.fresh });
  }

  toBottom(smoothly = false) {
    const still = !smoothly || matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.scroller.scrollTo({ top: this.scroller.scrollHeight, behavior: still ? "instant" : "smooth" });
    this.stuck = true;
  }

  jumpTo(messageId) {
    const row = this.rows.get(messageId)?.element;
    if (row) {
      this.stuck = false;
      row.scrollIntoView({ block: "center" });
      row.classList.add("flash");
      setTimeout(() => row.classList.remove("flash"), 1600);
    }
  }

  longPressed(event, message) {
    if (event.pointerType === "touch" && !event.target.closest("a")) {
      event.preventDefault();
      this.acts.onMenu(message, event.currentTarget.querySelector(".message-menu"));
    }
  }

  close() {
    this.observer.disconnect();
  }
}

/** Someone at a keyboard stays at the button they pressed, or at the first of the buttons that took its place. */
function replaceKeepingFocus(old, drawn) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  old.replaceWith(drawn);
  if (focused) {
    const keys = [...drawn.querySelectorAll(".key")];
    const same = keys.find((key) => key.dataset.press !== undefined && key.dataset.press === focused.dataset.press);
    (same ?? keys[0])?.focus({ preventScroll: true });
  }
}
