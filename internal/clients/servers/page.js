// The page makes the requests of its plan, reports what the script can read, and
// goes on to the next page. It can have an opaque origin, so it reports with
// mode "no-cors".

const {requests, next} = JSON.parse(document.getElementById("plan").textContent);
const results = [];

async function attempt({url, method, headers, body, credentials}) {
  try {
    const response = await fetch(url, {method, headers, body, credentials});
    const text = await response.text();
    return {status: response.status, header: Object.fromEntries(response.headers), body: text};
  } catch {
    return {failed: true};
  }
}

async function work() {
  while (results.length < requests.length) {
    const i = results.push(null) - 1;
    results[i] = await attempt(requests[i]);
  }
}

(async () => {
  await Promise.all(Array.from({length: 6}, work));
  await fetch("/report", {method: "POST", mode: "no-cors", body: JSON.stringify(results)});
  if (next) {
    location.replace(next);
  }
})();
