"""No setting is accepted and then does nothing."""

import re

from test_layers import PACKAGE

from flightdb.settings.knobs import knobs
from flightdb.settings.tree import Settings

READERS = (
    "app.py",
    "settings/tree.py",
    "settings/storing.py",
    "settings/checks.py",
    "cli/serve.py",
)
AS_A_WHOLE = "tables.default_config.id_validation."
"""`TableDefaults.options` hands these on with one `model_dump`."""


def test_every_setting_is_read_by_something():
    # given the code that turns settings into objects
    code = "".join((PACKAGE / name).read_text() for name in READERS)

    # then each is read as an attribute somewhere in it
    unread = [
        knob.path
        for knob in knobs(Settings)
        if not re.search(rf"\.{knob.path.rpartition('.')[2]}\b", code)
        and not knob.path.startswith(AS_A_WHOLE)
    ]
    assert unread == []
