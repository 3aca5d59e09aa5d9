// This script gets its plan from the server, runs the cases, and reports the
// results. Then it opens the next page, which is on another origin.
"use strict";

// inSandbox runs steps in a frame whose origin is "null".
function inSandbox(steps) {
  return new Promise((resolve) => {
    const frame = document.createElement("iframe");
    frame.sandbox = "allow-scripts";
    frame.srcdoc = `<script src="${location.origin}/steps.js"><\/script><script>
      addEventListener("message", async (event) => parent.postMessage(await runAll(event.data), "*"));
    <\/script>`;
    addEventListener("message", (event) => {
      frame.remove();
      resolve(event.data);
    }, {once: true});
    frame.onload = () => frame.contentWindow.postMessage(steps, "*");
    document.body.append(frame);
  });
}

addEventListener("load", async () => {
  const plan = await (await fetch("/plan")).json();
  for (const c of plan.cases) {
    console.log(`case ${c.number} begins`);
    const sights = await (c.sandbox ? inSandbox(c.steps) : runAll(c.steps));
    console.log(`case ${c.number} ends`);
    await fetch("/report", {method: "POST", body: JSON.stringify({number: c.number, sights})});
  }
  if (plan.next) {
    location.replace(plan.next);
  } else {
    await fetch("/done", {method: "POST"});
  }
});
