// Keeps a page fresh: while it is seen, its parts are fetched again from the address that one of them names
// (data-live), every so many seconds (data-every). Also: a form is sent once, however often it is pressed.

const SLOWEST = 30;
const PATIENCE = 10;
let failures = 0;
let timer;

function plan(seconds) {
  clearTimeout(timer);
  timer = setTimeout(refresh, seconds * 1000);
}

async function refresh() {
  const live = document.querySelector("[data-live]");
  if (!live || document.hidden) return;
  const offline = document.querySelector("[data-offline]");
  const every = Number(live.dataset.every);
  try {
    const response = await fetch(live.dataset.live, { signal: AbortSignal.timeout?.(PATIENCE * 1000) });
    if ([401, 403, 404].includes(response.status)) {
      location.reload();
      return;
    }
    if (!response.ok) throw new Error(String(response.status));
    show(new DOMParser().parseFromString(await response.text(), "text/html"));
    failures = 0;
    offline.hidden = true;
  } catch {
    failures += 1;
    offline.hidden = false;
  }
  plan(Math.min(every * 2 ** failures, Math.max(every, SLOWEST)));
}

// Puts new parts in the place of the old ones; what had the focus keeps it, and a press under way is not lost.
function show(fresh) {
  for (const part of fresh.querySelectorAll("[data-part]")) {
    const old = document.querySelector(`[data-part="${part.dataset.part}"]`);
    if (!old || old.outerHTML === part.outerHTML || old.querySelector(":active, [data-sent]")) continue;
    if (part.dataset.state !== old.dataset.state) {
      document.querySelector("[data-said]").textContent = part.dataset.state;
    }
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    old.replaceWith(document.adoptNode(part));
    if (focused) document.getElementById(focused)?.focus();
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, PATIENCE * 1000);
});

document.addEventListener("visibilitychange", () => plan(0));

// What a step did is said once: not again when the page is loaded anew.
document.querySelector("[data-flash]")?.focus();
if (location.search.includes("done=")) history.replaceState(null, "", location.pathname);

plan(Number(document.querySelector("[data-live]")?.dataset.every ?? 0));
