"""A mail's bytes to a :class:`~checker.model.Message`, and what follows from its envelope.

- :mod:`.parse` -- the way in; :mod:`.headers`, :mod:`.mime`, :mod:`.charset`, :mod:`.clean` read the bytes
- :mod:`.text` -- HTML to the text that a reader sees
- :mod:`.zones` -- whose words each line is; :mod:`.lines`, :mod:`.quotes`, :mod:`.logs`, :mod:`.signature` help it
- :mod:`.automatic`, :mod:`.bounce` -- machines' mail and delivery reports
- :mod:`.authenticity` -- was the sender who the From says?
- :mod:`.threads` -- message ids, signed ids of ours, subject tags
- :mod:`.words` -- the packs' ``mail.toml``

Pure: no IO, no clock.
"""
