"""The flightdb command: arguments in, an app or a client call, one line when it fails.

Commands import what they need when they run, so that `flightdb serve` starts fast.
"""
