"use strict";
// What both programs here tell: one JSON line on standard output for each thing that happens.

const { createValidator } = require("ocpp-rpc");
const SCHEMAS_21 = require("ocpp-rpc/lib/schemas/ocpp2_1.json");

// The package holds the schemas of 2.1 under names by which its strict mode does not look for them (2.2.1): name them so.
const asked = (id) => id.replace(/Request$/, ".req").replace(/Response$/, ".conf");
const VALIDATOR_21 = createValidator("ocpp2.1", SCHEMAS_21.map((schema) => ({ ...schema, $id: asked(schema.$id) })));
const STRICT = { strictMode: true, strictModeValidators: [VALIDATOR_21] };

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

module.exports = { STRICT, ask, endAfter, now, say, watch };
