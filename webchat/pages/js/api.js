/** The people's API over HTTP; a refusal becomes an ApiError that carries its code. */

export class ApiError extends Error {
  constructor(status, code) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

const UNREACHABLE = new ApiError(0, "unreachable");

async function call(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method,
      credentials: "same-origin",
      cache: "no-store",
      headers: { "X-Webchat": "1", ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw UNREACHABLE;
  }
  return answer(response.status, await response.text());
}

function answer(status, text) {
  let data = {};
  try {
    data = JSON.parse(text || "{}");
  } catch {
    // A proxy's error page is no JSON; the status says enough.
  }
  if (status >= 200 && status < 300) {
    return data;
  }
  throw new ApiError(status, data.error?.code ?? `status_${status}`);
}

const chatPath = (username) => `/api/chats/${encodeURIComponent(username)}`;

export const signIn = (code) => call("POST", "/api/session", { code });
export const join = (wish) => call("POST", "/api/join", wish);
export const signOut = () => call("DELETE", "/api/session");
export const me = () => call("GET", "/api/me");
export const changeMe = (changes) => call("PATCH", "/api/me", changes);
export const chats = () => call("GET", "/api/chats");
export const chat = (username) => call("GET", chatPath(username));
export const read = (username, messageId) => call("POST", `${chatPath(username)}/read`, { message_id: messageId });
export const start = (username, payload) => call("POST", `${chatPath(username)}/start`, payload ? { payload } : {});
export const block = (username) => call("POST", `${chatPath(username)}/block`, {});
export const unblock = (username) => call("POST", `${chatPath(username)}/unblock`, {});
export const sendContact = (username) => call("POST", `${chatPath(username)}/messages`, { contact: true });

export function messages(username, before) {
  const query = before ? `?before=${before}&limit=50` : "?limit=50";
  return call("GET", `${chatPath(username)}/messages${query}`);
}

export function sendText(username, text, replyTo) {
  const body = replyTo ? { text, reply_to_message_id: replyTo } : { text };
  return call("POST", `${chatPath(username)}/messages`, body);
}

export function press(username, messageId, data) {
  return call("POST", `${chatPath(username)}/press`, { message_id: messageId, data });
}

/** Send a file; XMLHttpRequest, because fetch does not tell how far an upload is. */
export function upload(username, { kind, file, caption, album }, onProgress) {
  const form = new FormData();
  form.append("kind", kind);
  if (caption) {
    form.append("caption", caption);
  }
  if (album) {
    form.append("album", album);
  }
  form.append("file", file, file.name);
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) {
        onProgress(event.loaded / event.total);
      }
    });
    request.addEventListener("load", () => {
      try {
        resolve(answer(request.status, request.responseText));
      } catch (error) {
        reject(error);
      }
    });
    request.addEventListener("error", () => reject(UNREACHABLE));
    request.addEventListener("abort", () => reject(new ApiError(0, "cancelled")));
  });
  request.open("POST", `${chatPath(username)}/messages`);
  request.setRequestHeader("X-Webchat", "1");
  request.send(form);
  return { done, cancel: () => request.abort() };
}

export const fileUrl = (fileId) => `/files/${encodeURIComponent(fileId)}`;
