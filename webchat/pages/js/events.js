/** The live stream of events: one EventSource, reopened with growing patience, told apart from being signed out. */

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 20000;

export class EventStream {
  constructor({ onEvent, onState, onGap, onSuspect }) {
    this.handlers = { onEvent, onState, onGap, onSuspect };
    this.lastId = "";
    this.wait = FIRST_WAIT;
    this.everOpen = false;
    this.onWake = () => this.wake();
    this.onOffline = () => onState("offline");
    document.addEventListener("visibilitychange", this.onWake);
    window.addEventListener("online", this.onWake);
    window.addEventListener("offline", this.onOffline);
    this.open();
  }

  open() {
    clearTimeout(this.timer);
    const source = new EventSource(this.lastId ? `/api/events?after=${this.lastId}` : "/api/events");
    this.source = source;
    source.addEventListener("open", () => this.opened());
    source.addEventListener("message", (event) => this.received(event));
    source.addEventListener("error", () => this.broken(source));
  }

  opened() {
    this.wait = FIRST_WAIT;
    this.handlers.onState("live");
    if (this.everOpen && !this.lastId) {
      this.handlers.onGap();
    }
    this.everOpen = true;
  }

  received(event) {
    if (event.lastEventId) {
      this.lastId = event.lastEventId;
    }
    const data = JSON.parse(event.data);
    if (data.type === "reset") {
      this.handlers.onGap();
    } else {
      this.handlers.onEvent(data);
    }
  }

  broken(source) {
    if (source !== this.source) {
      return;
    }
    source.close();
    this.handlers.onState(navigator.onLine ? "reconnecting" : "offline");
    clearTimeout(this.timer);
    // Spread out, or a restarted server meets all its readers in the same instant.
    this.timer = setTimeout(() => this.retry(), this.wait * (0.5 + Math.random()));
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
  }

  async retry() {
    const stillSignedIn = await this.handlers.onSuspect();
    if (stillSignedIn && this.source?.readyState === EventSource.CLOSED) {
      this.open();
    }
  }

  wake() {
    if (document.visibilityState === "visible" && this.source?.readyState === EventSource.CLOSED) {
      this.wait = FIRST_WAIT;
      this.open();
    }
  }

  close() {
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.onWake);
    window.removeEventListener("online", this.onWake);
    window.removeEventListener("offline", this.onOffline);
    this.source?.close();
    this.source = null;
  }
}
