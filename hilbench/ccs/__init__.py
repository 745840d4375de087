"""Wire formats of CCS charging: EXI messages, V2GTP, SDP, and captures of sessions. No I/O, no clock.

What a station (SECC) and a car (EVCC) say to each other over TCP, for DIN 70121, ISO 15118-2 and ISO 15118-20::

    from hilbench.ccs import exi, sdp, v2gtp

    body = {"Header": {"SessionID": session_id}, "EVSEProcessing": "Finished", "ResponseCode": "OK", ...}
    payload = exi.encode(exi.ISO2, "CableCheckRes", body)
    wire = v2gtp.pack(v2gtp.EXI, payload)

    splitter = v2gtp.Splitter()                 # bytes from TCP, in pieces of any size
    for packet in splitter.feed(received):
        message = exi.decode(exi.ISO2, packet.payload)      # message.name, message.body

    exi.SCHEMAS["urn:din:70121:2012:MsgDef"] is exi.DIN     # what supportedAppProtocol names
    exi.DIN.messages                                        # names of all its messages

A body has the standard's element names as keys; ``Header`` is one of them in every schema, although DIN 70121 and
ISO 15118-2 put it beside the body on the wire. Values are int, str, bytes, bool, dict and list (lists for whatever may
come more than once). What is wrong raises :class:`hilbench.ccs.exi.ExiError` or
:class:`hilbench.ccs.v2gtp.V2gtpError`. SLAC and the power line modem below all this are not covered.
"""
