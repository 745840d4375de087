"use strict";
// A central system, strict in every version: it lets one station charge, limits it, looks whether it follows, stops it.

const { RPCServer } = require("ocpp-rpc");
const { STRICT, ask, endAfter, now, say, watch } = require("./watched");

const LIMIT_A = 8;
const TOLERANCE = 0.05; // a car's reading of its pilot is not exact
const HORIZON_S = 600;
const PATIENCE = 20; // readings
const SAMPLE_S = "1";
const MEASURANDS = "Current.Import,Current.Offered,Energy.Active.Import.Register";
const ACCEPTED = { status: "Accepted" };

const boot = () => ({ currentTime: now(), interval: 300, status: "Accepted" });
const period = { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit: LIMIT_A }] };
const profile = (schedule) => ({
  stackLevel: 3,
  chargingProfilePurpose: "TxProfile",
  chargingProfileKind: "Relative",
  chargingSchedule: schedule,
});

const ANSWERS_16 = {
  BootNotification: boot,
  Heartbeat: () => ({ currentTime: now() }),
  Authorize: () => ({ idTagInfo: ACCEPTED }),
  StartTransaction: () => ({ transactionId: 4711, idTagInfo: ACCEPTED }),
  StopTransaction: () => ({ idTagInfo: ACCEPTED }),
};
const ANSWERS_2 = {
  BootNotification: boot,
  Heartbeat: () => ({ currentTime: now() }),
  Authorize: () => ({ idTokenInfo: ACCEPTED }),
  TransactionEvent: ({ idToken }) => (idToken ? { idTokenInfo: ACCEPTED } : {}),
};

/** Newest current of a message [A], undefined where there is none. */
function current({ meterValue = [] }) {
  const samples = meterValue.flatMap((one) => one.sampledValue).filter((one) => one.measurand === "Current.Import");
  return samples.length ? Number(samples.at(-1).value) : undefined;
}

const configure16 = async (peer) => {
  await ask(peer, "ChangeConfiguration", { key: "MeterValuesSampledData", value: MEASURANDS });
  await ask(peer, "ChangeConfiguration", { key: "MeterValueSampleInterval", value: SAMPLE_S });
};
const variable = (name, attributeValue) => ({
  component: { name: "SampledDataCtrlr" },
  variable: { name },
  attributeValue,
});
const configure2 = (peer) =>
  ask(peer, "SetVariables", {
    setVariableData: [variable("TxUpdatedMeasurands", MEASURANDS), variable("TxUpdatedInterval", SAMPLE_S)],
  });

/** What differs from version to version. */
const SPEAK_16 = {
  answers: ANSWERS_16,
  configure: configure16,
  started: (method) => (method === "StartTransaction" ? 4711 : undefined),
  ended: (method) => method === "StopTransaction",
  limit: (id) => ["SetChargingProfile", {
    connectorId: 1,
    csChargingProfiles: { chargingProfileId: 7, transactionId: id, ...profile(period) },
  }],
  composite: ["GetCompositeSchedule", { connectorId: 1, duration: HORIZON_S, chargingRateUnit: "A" }],
  stop: (id) => ["RemoteStopTransaction", { transactionId: id }],
};
const SPEAK_2 = {
  answers: ANSWERS_2,
  configure: configure2,
  started: (method, params) => (params.eventType === "Started" ? params.transactionInfo.transactionId : undefined),
  ended: (method, params) => params.eventType === "Ended",
  limit: (id) => ["SetChargingProfile", {
    evseId: 1,
    chargingProfile: { id: 7, transactionId: id, ...profile([{ id: 1, ...period }]) },
  }],
  composite: ["GetCompositeSchedule", { evseId: 1, duration: HORIZON_S, chargingRateUnit: "A" }],
  stop: (id) => ["RequestStopTransaction", { transactionId: id }],
};

/** The stages of a session, each waiting for something that the station says. */
async function conduct(peer, speak, until) {
  await until(({ method }) => method === "StatusNotification");
  await speak.configure(peer);
  const start = await until(({ method, params }) => speak.started(method, params) !== undefined);
  const id = speak.started(start.method, start.params);
  await until(({ params }) => current(params) > 2 * LIMIT_A);
  say("stage", { stage: "full current" });
  await ask(peer, ...speak.limit(id));
  await ask(peer, ...speak.composite);
  say("stage", { stage: "limited" });
  let readings = 0;
  await until(({ params }) => {
    const amps = current(params);
    readings += amps !== undefined;
    return readings >= PATIENCE || (amps > 0 && amps <= LIMIT_A * (1 + TOLERANCE));
  });
  await ask(peer, ...speak.stop(id));
  await until(({ method, params }) => speak.ended(method, params));
  say("stage", { stage: "stopped" });
}

/** A function that waits for the first message from now on of which ``wanted`` is true; none is missed in between. */
function listener() {
  const heard = [];
  let wake = () => {};
  const hear = (message) => {
    heard.push(message);
    wake();
  };
  const until = async (wanted) => {
    for (;;) {
      while (heard.length) {
        const message = heard.shift();
        if (wanted(message)) return message;
      }
      await new Promise((resolve) => (wake = resolve));
    }
  };
  return { hear, until };
}

const server = new RPCServer({ protocols: ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"], ...STRICT });
server.auth((accept) => accept());
server.on("client", (peer) => {
  const speak = peer.protocol === "ocpp1.6" ? SPEAK_16 : SPEAK_2;
  const { hear, until } = listener();
  say("connected", { identity: peer.identity, protocol: peer.protocol });
  watch(peer);
  peer.handle(({ method, params }) => {
    setImmediate(hear, { method, params });
    return (speak.answers[method] ?? (() => ({})))(params);
  });
  peer.on("close", () => say("closed"));
  conduct(peer, speak, until).catch((error) => say("failed", { why: error.stack }));
});
endAfter(120_000);
server.listen(0, "127.0.0.1").then((http) => say("listening", { port: http.address().port }));
