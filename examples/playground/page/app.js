import { send } from "/send.js";

const { Origins, Presets } = JSON.parse(document.getElementById("config").textContent);
const $ = (id) => document.getElementById(id);
const policy = $("policy"), request = $("request");

// el makes an element. Strings among the children become text, never markup.
function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null && child !== false));
  return element;
}

// call sends a request to the playground's server. The result has Errors if a form has mistakes.
async function call(path, body) {
  try {
    const options = body && { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
    const result = await (await fetch("/control/" + path, options)).json();
    return result.Error ? { Errors: [], ...result } : result;
  } catch {
    return { Errors: [], Error: "The playground does not respond. Is it still running?" };
  }
}

function copyButton(text, label) {
  const button = el("button", { type: "button", class: "copy", "aria-label": "Copy " + label }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text());
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed";
    }
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  return button;
}

// ---- Lists of the policy: an input for each item --------------------------------------------

const lists = [...policy.querySelectorAll("[data-list]")];

function addItem(list, value = "", before = null) {
  const name = list.dataset.list;
  const input = el("input", { placeholder: list.dataset.sample, spellcheck: "false", autocapitalize: "off" });
  const fit = () => (input.size = Math.max(input.value.length, list.dataset.sample.length) + 1);
  const remove = el("button", { type: "button", class: "remove", click: () => removeItem(item) }, "×");
  const item = el("li", {}, el("span", { class: "item" }, input, remove));
  input.value = value;
  fit();
  input.addEventListener("input", fit);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      addItem(list, "", item.nextElementSibling).focus();
    } else if (event.key === "Backspace" && input.value === "") {
      event.preventDefault();
      removeItem(item, item.previousElementSibling);
    }
  });
  list.querySelector("ul").insertBefore(item, before ?? list.querySelector(".more"));
  numberItems(list, name);
  return input;
}

function removeItem(item, next = null) {
  const list = item.closest("[data-list]");
  next ??= item.nextElementSibling;
  item.remove();
  next.querySelector("input, .add").focus();
  numberItems(list, list.dataset.list);
  edited();
}

function numberItems(list, name) {
  list.querySelectorAll("li:not(.more)").forEach((item, i) => {
    item.querySelector("input").setAttribute("aria-label", `${name} ${i + 1}`);
    item.querySelector("button").setAttribute("aria-label", `Remove ${name} ${i + 1}`);
  });
}

for (const list of lists) {
  const add = el("button", { type: "button", class: "add", "aria-label": "Add to " + list.dataset.list }, "+ Add");
  add.addEventListener("click", () => addItem(list).focus());
  list.querySelector("ul").append(el("li", { class: "more" }, add));
}

// ---- Policy ---------------------------------------------------------------------------------

// items returns the inputs of a list that are not empty, in the order of PolicyError.Index.
const items = (list) => [...list.querySelectorAll("li input")].filter((input) => input.value.trim() !== "");

function fillPolicy(p) {
  clearErrors(policy);
  for (const list of lists) {
    list.querySelectorAll("li:not(.more)").forEach((item) => item.remove());
    for (const value of p[list.dataset.list] ?? []) addItem(list, value);
  }
  for (const name of ["AllowCredentials", "PassRejected"]) policy.elements[name].checked = p[name];
  policy.elements.MaxAge.value = p.MaxAge;
  for (const box of policy.elements.AcceptRisks) box.checked = (p.AcceptRisks ?? []).includes(box.value);
}

function readPolicy() {
  return {
    ...Object.fromEntries(lists.map((list) => [list.dataset.list, items(list).map((input) => input.value.trim())])),
    AllowCredentials: policy.elements.AllowCredentials.checked,
    PassRejected: policy.elements.PassRejected.checked,
    MaxAge: policy.elements.MaxAge.value,
    AcceptRisks: [...policy.elements.AcceptRisks].filter((box) => box.checked).map((box) => box.value),
  };
}

async function applyPolicy() {
  policy.dataset.state = "busy";
  const result = await call("policy", readPolicy());
  clearErrors(policy);
  if (result.Errors) {
    const n = result.Errors.length;
    policyStatus("bad", result.Error ?? `Refused: ${n} ${n === 1 ? "mistake" : "mistakes"}. The earlier policy stays in force.`);
    showErrors(policy, result.Errors);
    return;
  }
  applied = result.Code;
  policyStatus("good", "In force.");
  showInForce(result.Code);
  await predict();
}

function policyStatus(state, text) {
  policy.dataset.state = state;
  $("policy-status").textContent = text;
  $("not-shown").hidden = state === "good";
}

let applied; // Go code of the policy shown, set when that policy is in force

// showInForce shows the policy in force. All tabs share it, so it can differ from the policy shown.
function showInForce(code) {
  $("code").textContent = code;
  const { state } = policy.dataset;
  if (state === "good" && code !== applied) policyStatus("other", "No longer in force: another tab changed the policy.");
  if (state === "other" && code === applied) policyStatus("good", "In force.");
}

function edited() {
  policyStatus("edited", "Edited. Apply to put it in force.");
  pressPreset(null);
}

policy.addEventListener("submit", (event) => {
  event.preventDefault();
  applyPolicy();
});
policy.addEventListener("input", edited);

// ---- Mistakes, each next to its field or item -----------------------------------------------

let mistakes = 0;

function showErrors(form, errors) {
  for (const { Field, Index, Value, Reason } of errors) {
    const list = form.querySelector(`[data-list="${Field}"]`);
    const field = list ?? form.querySelector(`[data-field="${Field}"]`) ?? form;
    const input = list ? items(list)[Index] : field.querySelector("input, textarea");
    const lineOf = Field === "Headers" && Index >= 0 ? `Line ${Index + 1}, “${Value}”, ` : "";
    const message = el("p", { class: "error", id: `mistake-${++mistakes}` }, lineOf + Reason);
    (list ? (input?.closest("li") ?? list) : field).append(message);
    input?.setAttribute("aria-invalid", "true");
    input?.setAttribute("aria-describedby", [input.getAttribute("aria-describedby"), message.id].filter(Boolean).join(" "));
  }
  form.querySelector("[aria-invalid]")?.scrollIntoView({ block: "nearest" });
}

function clearErrors(form) {
  form.querySelectorAll(".error").forEach((message) => message.remove());
  form.querySelectorAll("[aria-invalid]").forEach((input) => {
    input.removeAttribute("aria-invalid");
    input.removeAttribute("aria-describedby");
  });
}

// ---- Request and prediction -----------------------------------------------------------------

function fillRequest(r) {
  clearErrors(request);
  for (const name of ["From", "Method", "ContentType", "Headers", "Body"]) request.elements[name].value = r[name];
  for (const name of ["Credentials", "UploadListener"]) request.elements[name].checked = r[name];
}

function readRequest() {
  const { From, Method, ContentType, Headers, Body, Credentials, UploadListener } = request.elements;
  return {
    From: From.value, Method: Method.value.trim(), ContentType: ContentType.value.trim(), Headers: Headers.value, Body: Body.value,
    Credentials: Credentials.checked, UploadListener: UploadListener.checked,
  };
}

let predictions = 0; // number of the latest prediction; the page shows only that prediction

async function predict() {
  const mine = ++predictions;
  const hasBody = !["GET", "HEAD"].includes(request.elements.Method.value.trim().toUpperCase());
  request.elements.Body.disabled = request.elements.UploadListener.disabled = !hasBody;
  const result = await call("predictions", readRequest());
  if (mine !== predictions) return;
  clearErrors(request);
  if (result.Errors) {
    showErrors(request, result.Errors);
    showNoPrediction(result);
    return;
  }
  showPrediction(result);
}

function showNoPrediction({ Error: error }) {
  $("prediction").replaceChildren(el("p", { class: "bad" }, error ?? "Correct the request first."));
}

const expiry = "the response to the earlier preflight has expired";

function showPrediction({ PreflightReasons, NoPreflight, Blocked, Advice, Allowed, Dropped, Expired, Outcome, InForce }) {
  showInForce(InForce);
  const because = (kind, title, reasons) =>
    el("div", { class: kind }, el("b", { class: "mark" }, title), el("ul", {}, ...reasons.map((reason) => el("li", {}, reason))));
  $("prediction").replaceChildren(
    ...(Dropped ? [because("bad", "Dropped", Dropped)] : []),
    Outcome.Preflight ? because("", "Preflight", [...(Expired ? [expiry] : []), ...PreflightReasons]) : because("", "No preflight", [NoPreflight]),
    Blocked ? because("bad", "Blocked", [Blocked]) : because("good", "Allowed", Allowed),
    ...(Advice ? [because("", "Advice", [Advice])] : []),
  );
}

let typing;
request.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(predict, 250);
  pressPreset(null);
});
request.addEventListener("submit", (event) => {
  event.preventDefault();
  sendRequest();
});
$("again").addEventListener("click", () => sendRequest($("happened").dataset.run));
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) (document.activeElement.form ?? request).requestSubmit();
});

// ---- Sending, here or in a page on another origin -------------------------------------------

const senders = {};

// sender returns a promise of the window of a page on origin that sends requests for this page.
function sender(origin) {
  return (senders[origin] ??= new Promise((resolve, reject) => {
    const frame = el("iframe", { src: origin + "/sender", hidden: true, title: "Sends requests from " + origin });
    const give = (settle, value) => {
      clearTimeout(overdue);
      removeEventListener("message", listen);
      settle(value);
    };
    const listen = ({ origin: from, source, data }) => {
      if (from === origin && source === frame.contentWindow && data.ready) give(resolve, source);
    };
    const overdue = setTimeout(() => {
      frame.remove();
      delete senders[origin];
      give(reject, new Error(`The page ${origin} did not open. Some browsers do not resolve names under localhost.`));
    }, 15_000);
    addEventListener("message", listen);
    document.body.append(frame);
  }));
}

let lastID = 0;

async function sendFrom(origin, what) {
  if (origin === Origins.App) return send(what);
  const target = await sender(origin);
  const id = ++lastID;
  return new Promise((resolve) => {
    addEventListener("message", function listen({ origin: from, source, data }) {
      if (from !== origin || source !== target || data.id !== id) return;
      removeEventListener("message", listen);
      resolve(data.seen);
    });
    target.postMessage({ id, request: what }, origin);
  });
}

// sendRequest sends to a new URL, or again to the URL of an earlier run.
async function sendRequest(again = "") {
  if (request.dataset.busy) return;
  request.dataset.busy = "true";
  clearTimeout(typing);
  try {
    const run = await call("runs", { ...readRequest(), Again: again });
    predictions++; // so the page ignores older predictions that arrive later
    clearErrors(request);
    if (run.Errors) {
      showErrors(request, run.Errors);
      showNoPrediction(run);
      showNoRun("Not sent", run.Error ?? "Correct the request first.");
      return;
    }
    showPrediction(run.Prediction);
    const seen = await sendFrom(run.Origin, run.Sending);
    const record = await call("runs/" + run.ID);
    if (record.Error) {
      showNoRun("Not known", record.Error);
      return;
    }
    showRun(run, seen, record.Exchanges ?? []);
    $("request-status").textContent = policy.dataset.state === "good" ? "Sent." : "Sent under the policy in force, which differs from the policy shown under 1.";
  } catch (error) {
    showNoRun("Not sent", error.message);
  } finally {
    delete request.dataset.busy;
  }
}

// ---- What happened --------------------------------------------------------------------------

const explanations = {
  "Origin": "The origin of the page whose script sends the request. The browser sets it; scripts cannot.",
  "Access-Control-Request-Method": "The method that the script wants to send.",
  "Access-Control-Request-Headers": "The headers that the script wants to send, in lowercase and sorted, without safelisted headers.",
  "Access-Control-Allow-Origin": "The origin whose pages are allowed, or * for any. It must equal Origin, byte for byte.",
  "Access-Control-Allow-Methods": "The methods that the page may send, in addition to GET, HEAD and POST. This is the policy's whole list, so one preflight is enough for all of them.",
  "Access-Control-Allow-Headers": "The request headers that scripts may set, in addition to safelisted headers.",
  "Access-Control-Allow-Credentials": "Scripts may send cookies and other credentials, and read the response to such a request.",
  "Access-Control-Expose-Headers": "The response headers that scripts may read, in addition to safelisted headers.",
  "Access-Control-Max-Age": "The number of seconds for which the browser may reuse this response instead of sending another preflight.",
  "Vary": "A cache must not reuse this response for a request in which these headers differ.",
  "Cookie": "Sent because the request has credentials and the SameSite attribute of the cookie allows it.",
};

function headerLine({ Name, Value }) {
  const line = [el("span", { class: "name" }, Name + ": "), el("span", {}, Value)];
  const why = explanations[Name];
  if (!why) return el("div", {}, ...line);
  return el("details", { class: "cors" }, el("summary", {}, ...line), el("p", {}, why));
}

// message draws an arrow with the headers of a message. The CORS headers and the script's headers come first.
function message(direction, title, lines, own = [], curl = "") {
  const names = [...Object.keys(explanations), ...own.map(({ Name }) => Name)];
  const notable = names.flatMap((name) => lines.filter(({ Name }) => Name === name));
  const others = lines.filter((line) => !notable.includes(line));
  return el("li", { class: "message " + direction },
    el("p", { class: "arrow" }, el("span", { class: "hidden" }, direction === "to" ? "Browser to API: " : "API to browser: "), el("code", {}, title)),
    el("div", { class: "headers" }, ...notable.map(headerLine),
      el("div", { class: "extras" },
        others.length > 0 && el("details", { class: "more" }, el("summary", {}, `${others.length} more ${others.length === 1 ? "header" : "headers"}`), ...others.map(headerLine)),
        curl && el("details", { class: "more" }, el("summary", {}, "curl"),
          el("div", { class: "copyable" }, el("pre", { tabindex: "0", role: "group", "aria-label": "curl command" }, el("code", {}, curl)), copyButton(() => curl, "the curl command"))))));
}

const note = (side, kind, ...text) => el("li", { class: `note ${side} ${kind}` }, el("p", {}, ...text));

function outcomeOf(seen, exchanges) {
  const actual = exchanges.filter((exchange) => !exchange.Preflight);
  return {
    Preflight: exchanges.some((exchange) => exchange.Preflight),
    Actual: actual.length > 0,
    HandlerRan: actual.some((exchange) => exchange.HandlerRan),
    Status: seen.status ?? 0,
    Readable: (seen.headers ?? []).map(([name]) => name.toLowerCase()).sort(),
  };
}

const outcomeNames = { Preflight: "preflight", Actual: "request sent", HandlerRan: "handler ran", Status: "status", Readable: "readable headers" };

function differences(predicted, observed) {
  const show = (value) => (value === true ? "yes" : value === false ? "no" : [value || []].flat().join(", ") || "none");
  return Object.entries(outcomeNames).filter(([key]) => show(predicted[key]) !== show(observed[key]))
    .map(([key, name]) => `${name}: predicted ${show(predicted[key])}, seen ${show(observed[key])}`);
}

function showRun({ ID, Origin, Sending, Prediction }, seen, exchanges) {
  const observed = outcomeOf(seen, exchanges);
  const wrong = differences(Prediction.Outcome, observed);
  const blocked = Boolean(seen.error);
  const steps = [];
  if (!observed.Preflight) steps.push(note("browser", "", "No preflight: " + Prediction.NoPreflight));
  for (const exchange of exchanges) {
    if (exchange.Preflight) steps.push(note("browser", "", Prediction.Expired ? "Sends a preflight again: " + expiry : `Sends a preflight before ${Sending.Method}`));
    steps.push(message("to", `${exchange.Method} ${exchange.Path}`, exchange.Request, Sending.Headers, exchange.Curl));
    if (exchange.HandlerRan && exchange.Rejected) steps.push(note("server", "bad", el("b", {}, "The handler runs because of PassRejected"), el("code", {}, exchange.Rejected)));
    else if (exchange.HandlerRan) steps.push(note("server", "good", "The handler runs"));
    else if (exchange.Rejected) steps.push(note("server", "bad", el("b", {}, "The handler does not run"), el("code", {}, exchange.Rejected)));
    else steps.push(note("server", "", "The middleware responds; the handler does not run"));
    steps.push(message("from", `${exchange.Status} ${exchange.StatusText}`, exchange.Response));
  }
  if (blocked) {
    steps.push(note("browser", "bad", el("b", {}, observed.Actual ? "Hidden from the script" : `${Sending.Method} is not sent`), ": " + (Prediction.Blocked || "see the browser's console")));
    if (Prediction.Advice) steps.push(note("browser", "", el("b", {}, "Advice"), ": " + Prediction.Advice));
    steps.push(note("browser", "read", el("b", {}, "The script gets "), el("code", {}, seen.error)));
  } else {
    steps.push(note("browser", "read good", el("b", {}, `The script reads status ${seen.status}`),
      el("pre", { tabindex: "0", role: "group", "aria-label": "What the script reads" }, el("code", {}, [...seen.headers.map(([name, value]) => `${name}: ${value}`), "", seen.body].join("\n").trim()))));
  }
  $("page-origin").textContent = Origin;
  $("steps").replaceChildren(...steps);
  $("verdict").replaceChildren(
    el("span", { class: "badge " + (blocked ? "bad" : "good") }, blocked ? "Blocked" : `Allowed · ${seen.status}`),
    el("span", { class: "badge " + (wrong.length > 0 ? "bad" : "plain") }, wrong.length > 0 ? "Not as predicted" : "As predicted"),
    wrong.join("; "),
  );
  const happened = $("happened");
  happened.dataset.state = blocked ? "blocked" : "allowed";
  happened.dataset.agrees = wrong.length === 0;
  happened.dataset.observed = JSON.stringify(observed);
  happened.dataset.run = ID;
  $("again").disabled = false;
  if (happened.getBoundingClientRect().top > innerHeight * 0.75) happened.scrollIntoView();
}

// showNoRun replaces the earlier run if the page does not know the result of this run.
function showNoRun(title, reason) {
  $("request-status").textContent = `${title}: ${reason}`;
  $("verdict").replaceChildren(el("span", { class: "badge bad" }, title), reason);
  $("steps").replaceChildren();
  const { dataset } = $("happened");
  dataset.state = "empty";
  delete dataset.agrees;
  delete dataset.observed;
}

// ---- Presets --------------------------------------------------------------------------------

function pressPreset(id) {
  for (const button of document.querySelectorAll("[data-preset]")) button.setAttribute("aria-pressed", button.dataset.preset === id);
}

async function usePreset(preset) {
  fillPolicy(preset.Policy);
  fillRequest(preset.Request);
  pressPreset(preset.ID);
  $("about").textContent = preset.About;
  await applyPolicy();
  await predict();
}

for (const button of document.querySelectorAll("[data-preset]")) {
  button.addEventListener("click", () => usePreset(Presets.find(({ ID }) => ID === button.dataset.preset)));
}

$("go").open = matchMedia("(min-width: 75rem)").matches;
policy.querySelector("#go .copyable").append(copyButton(() => $("code").textContent, "the Go code"));

const { Policy, Code, Error: failure } = await call("policy");
$("code").textContent = applied = Code ?? "";

// An address that ends in #put shows that preset, and sends its request.
const linked = Presets.find(({ ID }) => "#" + ID === location.hash);
if (linked) {
  await usePreset(linked);
  document.body.dataset.filled = "true";
  await sendRequest();
} else {
  if (Policy) fillPolicy(Policy);
  fillRequest(Presets[0].Request);
  document.body.dataset.filled = "true";
  policyStatus(failure ? "bad" : "good", failure ?? "In force.");
  await predict();
}
document.body.dataset.ready = "true";
