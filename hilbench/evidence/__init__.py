"""Evidence: a run is a folder of plain files, and every rendering is made from that folder alone.

    runs/0001/
      run.json            what was tested, how it ended, all results (schema/run.json)
      procedures/<key>/   one folder per procedure and repeat, written by whoever runs it
        procedure.json    what is about to run
        signals/*.csv     one file per signal: time_s, value; index.json names unit, kind and source
        events.jsonl      one event per line (schema/event.json)
        records/*.npz     records of instruments that measurements rest on; index.json says what was read from each
        result.json       measurements, verdict and hashes (schema/result.json)
      guardian.jsonl      what the guardian did, where it had to
      report.html  junit.xml  MANIFEST.sha256

Files grow by whole lines or are replaced at once, so that a kill at any moment leaves what was recorded readable.
"""
