import {ROOT_CONTEXT, context, propagation} from "@opentelemetry/api";
import {registerInstrumentations} from "@opentelemetry/instrumentation";
import {FetchInstrumentation} from "@opentelemetry/instrumentation-fetch";
import {WebTracerProvider} from "@opentelemetry/sdk-trace-web";
import {check} from "./run.js";

let last; // the span of the last request

new WebTracerProvider().register();
registerInstrumentations({
  instrumentations: [new FetchInstrumentation({
    propagateTraceHeaderCorsUrls: [/^http:\/\/api\..*\/trace/],
    requestHook: (span) => { last = span.spanContext(); },
  })],
});

// request sends a request in ctx, checks that the server's span is a child of the
// page's span, and returns the state and the baggage that the server received.
async function request(url, ctx = ROOT_CONTEXT) {
  const response = await context.with(ctx, () => fetch(url));
  const {traceId, parentId, ...more} = await response.json();
  check(traceId === last.traceId && parentId === last.spanId, `${traceId} ${parentId} does not belong to ${last.traceId} ${last.spanId}`);
  return more;
}

async function trace(api) {
  const {state, baggage} = await request(api + "/trace");
  check(state === "" && baggage === "", `${state} ${baggage}`);
}

// continueTrace continues a trace that the server of the page started.
async function continueTrace(api) {
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const ctx = propagation.extract(ROOT_CONTEXT, {traceparent: `00-${traceId}-b7ad6b7169203331-01`, tracestate: "vendor=value"});
  const {state} = await request(api + "/trace", ctx);
  check(last.traceId === traceId && state === "vendor=value", `${last.traceId} ${state}`);
}

async function carryBaggage(api) {
  const ctx = propagation.setBaggage(ROOT_CONTEXT, propagation.createBaggage({tenant: {value: "blue"}}));
  const {baggage} = await request(api + "/trace", ctx);
  check(baggage === "tenant=blue", baggage);
}

// leaveAlone sends a request to a URL that is not in propagateTraceHeaderCorsUrls.
async function leaveAlone(api) {
  const response = await fetch(api + "/other");
  const {parentId} = await response.json();
  check(/^0+$/.test(parentId), parentId);
}

export const steps = [
  ["trace", trace],
  ["continue a trace", continueTrace],
  ["send baggage", carryBaggage],
  ["do not trace other URLs", leaveAlone],
];

export const call = (api, i) => request(`${api}/trace/${i % 4}`);
