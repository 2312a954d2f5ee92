"""SMS platforms: one contract, one closed list of outcomes, one adapter a platform.

An adapter does protocol only. It refuses to retry, to pace and to store: those are dispatch's.
"""
