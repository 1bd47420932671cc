"""Every knob: its name, unit, default, bounds and one line of doc; read once, then frozen.

`tree.py` is the list of them, `load.py` makes one `Settings` of file, environment and command line.
Components receive values, never `Settings`.
"""

from flightdb.settings.errors import SettingsError
from flightdb.settings.load import LoadedSettings, load_settings
from flightdb.settings.tree import Settings

__all__ = ["LoadedSettings", "Settings", "SettingsError", "load_settings"]
