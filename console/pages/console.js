// Keeps the figures of a page fresh: the part marked data-live is fetched again every two seconds while it is seen.

const EVERY = 2000;
const SLOWEST = 30000;
let wait = EVERY;

async function refresh() {
  const part = document.querySelector("[data-live]");
  if (!part || !part.dataset.live) return;
  if (!document.hidden) {
    const offline = document.querySelector("[data-offline]");
    try {
      const response = await fetch(part.dataset.live, { credentials: "same-origin" });
      if (response.status === 401) {
        location.reload();
        return;
      }
      if (!response.ok) throw new Error(String(response.status));
      show(part, await response.text());
      wait = EVERY;
      offline.hidden = true;
    } catch {
      wait = Math.min(wait * 2, SLOWEST);
      offline.hidden = false;
    }
  }
  setTimeout(refresh, wait);
}

// Puts the new part in the place of the old one; what had the focus keeps it, and a press under way is not lost.
function show(part, text) {
  if (part.querySelector(":active")) return;
  const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("[data-live]");
  if (!fresh) return;
  const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
  part.replaceWith(document.adoptNode(fresh));
  if (focused) document.getElementById(focused)?.focus();
}

setTimeout(refresh, EVERY);
