"""A handset in a web page: it dials, keys, writes and reads SMS by the callbacks operators use."""
