const patience = 10_000; // milliseconds

// send sends a request from a script of this page. It returns the status, headers and body that the script can read.
export async function send(request) {
  try {
    return await (request.UploadListener ? sendXHR(request) : sendFetch(request));
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
}

async function sendFetch({ URL, Method, Headers, Body, Credentials }) {
  const response = await fetch(URL, {
    method: Method,
    headers: Headers.map(({ Name, Value }) => [Name, Value]),
    body: Body || undefined,
    credentials: Credentials ? "include" : "same-origin",
    signal: AbortSignal.timeout(patience),
  });
  return { status: response.status, headers: [...response.headers], body: await response.text() };
}

// Only an XMLHttpRequest can watch its upload.
function sendXHR({ URL, Method, Headers, Body, Credentials }) {
  return new Promise((resolve) => {
    const xhr = new XMLHttpRequest();
    xhr.upload.addEventListener("progress", () => {});
    xhr.addEventListener("load", () => {
      const headers = xhr.getAllResponseHeaders().trim().split("\r\n").filter(Boolean).map((line) => line.split(/: ?(.*)/s, 2));
      resolve({ status: xhr.status, headers, body: xhr.responseText });
    });
    xhr.addEventListener("error", () => resolve({ error: "error event of the XMLHttpRequest" }));
    xhr.addEventListener("timeout", () => resolve({ error: "timeout event of the XMLHttpRequest" }));
    xhr.open(Method, URL);
    xhr.timeout = patience;
    xhr.withCredentials = Credentials;
    for (const { Name, Value } of Headers) xhr.setRequestHeader(Name, Value);
    xhr.send(Body);
  });
}
