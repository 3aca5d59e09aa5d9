// The page of a session runs the script of the recipe, reports the results, and
// goes on to the page of the next session.

// A client can replace window.fetch.
const fetch = window.fetch.bind(window);

// The time limit for one step, in milliseconds.
const patience = 10_000;

async function attempt(name, step) {
  let overdue;
  try {
    await Promise.race([
      step(),
      new Promise((_, reject) => { overdue = setTimeout(() => reject(new Error("not done in time")), patience); }),
    ]);
    return {name, error: ""};
  } catch (error) {
    return {name, error: String(error) || "failed"};
  } finally {
    clearTimeout(overdue);
  }
}

export async function run({steps, call}) {
  const {api, calls} = await (await fetch("/plan")).json();
  const results = [];
  if (calls > 0) {
    for (let i = 0; i < calls; i++) {
      results.push(await attempt(`call ${i}`, () => call(api, i)));
    }
  } else {
    for (const [name, step] of steps) {
      results.push(await attempt(name, () => step(api)));
    }
  }
  const {next} = await (await fetch("/report", {method: "POST", body: JSON.stringify(results)})).json();
  if (next) {
    location.replace(next);
  }
}

// check throws an error unless ok is true.
export function check(ok, what) {
  if (!ok) {
    throw new Error(what);
  }
}
