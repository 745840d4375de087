"use strict";
// What both programs here tell: one JSON line on standard output for each thing that happens.

const say = (event, data = {}) => process.stdout.write(JSON.stringify({ event, ...data }) + "\n");

/** Tell every frame of a peer, and everything about one that strict mode does not let pass. */
function watch(peer) {
  peer.on("message", ({ message, outbound }) => say("frame", { sent: outbound, text: message }));
  peer.on("strictValidationFailure", ({ method, outbound, isCall, error }) =>
    say("violation", { sent: outbound, method, isCall, why: error.message }),
  );
  peer.on("badMessage", ({ error }) => say("violation", { sent: false, why: error.message }));
}

const now = () => new Date().toISOString();

/** Call, and tell the answer. */
async function ask(peer, method, params) {
  const answer = await peer.call(method, params);
  say("answer", { method, params, answer });
  return answer;
}

/** Whatever becomes of the test that started this, it does not run for ever. */
const endAfter = (ms) => setTimeout(() => process.exit(1), ms).unref();

module.exports = { ask, endAfter, now, say, watch };
