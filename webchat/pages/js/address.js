/** What the address bar asks for: a sign-in code, or a chat with perhaps a start payload. */

export function address() {
  const [first, second] = location.pathname.split("/").filter(Boolean);
  if (first === "in") {
    return { code: decodeURIComponent(second ?? "") };
  }
  const bot = first === "t" ? second : first;
  return { bot: bot ?? null, payload: new URLSearchParams(location.search).get("start") };
}

export function chatAddress(username) {
  return username ? `/${username}` : "/";
}
