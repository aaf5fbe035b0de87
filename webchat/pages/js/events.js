/**
 * The live stream of events, reopened with growing patience from the last event seen.
 *
 * Read with fetch instead of EventSource, which hides three things a phone needs: heartbeats (a dead connection is
 * noticed), the status (being signed out is told from an outage), and the position the server greets with.
 */

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 20000;
const SILENCE = 45000; // the server says something every 15 s
const DOUBT = 20000;

export class EventStream {
  /** onEvent(data), onState("live" | "reconnecting" | "offline"), onGap(), onSignedOut(). */
  constructor(handlers) {
    this.handlers = handlers;
    this.lastId = "";
    this.wait = FIRST_WAIT;
    this.onWake = () => this.wake();
    this.onOnline = () => this.reopen();
    this.onOffline = () => handlers.onState("offline");
    document.addEventListener("visibilitychange", this.onWake);
    window.addEventListener("online", this.onOnline);
    window.addEventListener("offline", this.onOffline);
    /** Settles once the server has said where the stream begins, or could not be reached. */
    this.ready = new Promise((resolve) => {
      this.settled = resolve;
    });
    this.open();
  }

  async open() {
    clearTimeout(this.timer);
    const opening = new AbortController();
    this.opening = opening;
    try {
      await this.follow(opening);
    } catch {
      // An outage looks like this; broken() decides what comes next.
    }
    if (this.opening === opening) {
      this.broken();
    }
  }

  async follow(opening) {
    this.watch(opening);
    const address = this.lastId ? `/api/events?after=${this.lastId}` : "/api/events";
    const response = await fetch(address, { headers: { Accept: "text/event-stream" }, cache: "no-store", signal: opening.signal });
    if (response.status === 401) {
      this.close();
      this.handlers.onSignedOut();
      return;
    }
    if (!response.ok) {
      return;
    }
    this.wait = FIRST_WAIT;
    this.handlers.onState("live");
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (let part = await reader.read(); !part.done && this.opening === opening; part = await reader.read()) {
      this.watch(opening);
      const blocks = (rest + part.value).split("\n\n");
      rest = blocks.pop();
      blocks.forEach((block) => this.received(block));
    }
  }

  received(block) {
    const field = (name) => new RegExp(`^${name}: ?(.*)$`, "m").exec(block)?.[1];
    this.lastId = field("id") ?? this.lastId;
    this.settled();
    const data = field("data");
    if (data) {
      this.happened(JSON.parse(data));
    }
  }

  happened(event) {
    if (event.type === "reset") {
      this.handlers.onGap();
    } else {
      this.handlers.onEvent(event);
    }
  }

  watch(opening) {
    this.heard = Date.now();
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => opening.abort(), SILENCE);
  }

  broken() {
    this.opening = null;
    this.settled();
    clearTimeout(this.watchdog);
    this.handlers.onState(navigator.onLine ? "reconnecting" : "offline");
    // Spread out, or a restarted server meets all its readers in the same instant.
    this.timer = setTimeout(() => this.open(), this.wait * (0.5 + Math.random()));
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
  }

  /** A page that comes back to the front does not wait for its turn, nor trust a connection that slept. */
  wake() {
    if (document.visibilityState === "visible" && (!this.opening || Date.now() - this.heard > DOUBT)) {
      this.reopen();
    }
  }

  reopen() {
    const { opening } = this;
    this.opening = null;
    opening?.abort();
    this.wait = FIRST_WAIT;
    this.open();
  }

  close() {
    const { opening } = this;
    this.opening = null;
    clearTimeout(this.timer);
    clearTimeout(this.watchdog);
    this.settled();
    document.removeEventListener("visibilitychange", this.onWake);
    window.removeEventListener("online", this.onOnline);
    window.removeEventListener("offline", this.onOffline);
    opening?.abort();
  }
}
