"""Who else is there, and how coordinator and worker talk."""
