"use strict";
// A charging station, strict in its version: boots, charges as it is told, and stops once it is told the limit it waits for.
// Arguments: URL of the central system, identity, subprotocol, limit [A].

const { RPCClient } = require("ocpp-rpc");
const { STRICT, ask, endAfter, now, say, watch } = require("./watched");

const [endpoint, identity, protocol, wanted] = process.argv.slice(2);
const OLD = protocol === "ocpp1.6";
const ACCEPTED = { status: "Accepted" };
const TAG = OLD ? { idTag: "TAG-1" } : { idToken: { idToken: "TAG-1", type: "ISO14443" } };
const TRANSACTION = "interop-1";
const limits = [];
let heardLimit = () => {};
let seqNo = 0;
let transactionId;
let shown = "Available";

const peer = new RPCClient({ endpoint, identity, protocols: [protocol], ...STRICT, reconnect: false });
watch(peer);

const amps = (value) =>
  OLD ? { value: value.toFixed(2), unit: "A" } : { value, unitOfMeasure: { unit: "A" } };
const meterValue = (value) => [
  { timestamp: now(), sampledValue: [{ measurand: "Current.Import", phase: "L1", ...amps(value) }] },
];

/** Tell what the outlet shows. */
const tell = () =>
  ask(
    peer,
    "StatusNotification",
    OLD
      ? { connectorId: 1, errorCode: "NoError", status: shown }
      : { timestamp: now(), connectorStatus: shown === "Available" ? shown : "Occupied", evseId: 1, connectorId: 1 },
  );

function status(next) {
  shown = next;
  return tell();
}

const transaction = (eventType, triggerReason, more = {}, info = {}) =>
  ask(peer, "TransactionEvent", {
    eventType,
    triggerReason,
    timestamp: now(),
    seqNo: seqNo++,
    transactionInfo: { transactionId: TRANSACTION, chargingState: "Charging", ...info },
    evse: { id: 1, connectorId: 1 },
    ...more,
  });

const boot = () =>
  ask(
    peer,
    "BootNotification",
    OLD
      ? { chargePointVendor: "interop", chargePointModel: "station" }
      : { reason: "PowerUp", chargingStation: { vendorName: "interop", model: "station" } },
  );

async function start() {
  await ask(peer, "Authorize", TAG);
  if (!OLD) return transaction("Started", "Authorized", { ...TAG, meterValue: meterValue(0) });
  const answer = await ask(peer, "StartTransaction", { connectorId: 1, ...TAG, meterStart: 100, timestamp: now() });
  transactionId = answer.transactionId;
  return status("Charging");
}

const measure = (value) =>
  OLD
    ? ask(peer, "MeterValues", { connectorId: 1, transactionId, meterValue: meterValue(value) })
    : transaction("Updated", "MeterValuePeriodic", { meterValue: meterValue(value) });

const stop = () =>
  OLD
    ? ask(peer, "StopTransaction", { transactionId, meterStop: 200, timestamp: now(), reason: "Local" })
    : transaction("Ended", "EVDeparted", {}, { stoppedReason: "EVDisconnected", chargingState: "Idle" });

/** Resolves when the limit is among those that were installed. */
async function limited() {
  while (!limits.includes(Number(wanted))) await new Promise((resolve) => (heardLimit = resolve));
}

peer.handle("SetChargingProfile", ({ params }) => {
  const { chargingSchedule } = params.csChargingProfiles ?? params.chargingProfile;
  limits.push([chargingSchedule].flat()[0].chargingSchedulePeriod[0].limit);
  setImmediate(() => heardLimit());
  return ACCEPTED;
});
peer.handle("ChangeConfiguration", () => ACCEPTED);
peer.handle("SetVariables", ({ params }) => ({
  setVariableResult: params.setVariableData.map(({ component, variable }) => ({
    component,
    variable,
    attributeStatus: "Accepted",
  })),
}));
peer.handle("TriggerMessage", ({ params }) => {
  if (params.requestedMessage !== "StatusNotification") return { status: "Rejected" };
  setImmediate(tell);
  return ACCEPTED;
});

async function session() {
  await peer.connect();
  await boot();
  await status("Available");
  await ask(peer, "Heartbeat", {});
  await status("Preparing");
  await start();
  await measure(32);
  say("stage", { stage: "charging" });
  await limited();
  await measure(Number(wanted));
  await stop();
  if (OLD) await status("Finishing");
  await status("Available");
  say("stage", { stage: "stopped", limits });
  await peer.close();
}

endAfter(120_000);
session().then(
  () => process.exit(0),
  (error) => {
    say("failed", { why: error.stack });
    process.exit(1);
  },
);
